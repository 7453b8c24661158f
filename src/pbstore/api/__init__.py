"""What drives REST, the API viewer and the command lines: schemas, method descriptions, route table, envelopes."""
