"""Files that are more than bytes: manifests, key files, master keys, paper keys. The codecs per byte are in `_core`."""
