//! A session as Python sees it: calls, uploads, restores.

use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use pbstore_format::{DynamicIndex, FixedIndex, Index};
use pbstore_wire::client::{
    self, Archive, Call, CatalogUpload, ImageSource, PreviousSplit, SealOptions, SplitNames, TreeArchive,
};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::catalog::PyCatalogUpload;
use super::progress::{counters, PyProgress};
use super::remote_archive::PyRemoteArchive;
use super::stats::{PyRestoreStats, PySplitUploadStats, PyUploadStats, PyVerifyStats};
use super::tree_options::{tree_options, PyTreeOptions};
use super::unpack_options::{unpack_options, PyUnpackOptions};
use super::{from_client, interrupt};
use crate::errors::from_format;
use crate::format::PyCryptKey;
use crate::indexes::{PyDynamicIndex, PyFixedIndex};
use crate::source::{duplicate, Source};

/// Largest answer to a call, unless the caller says otherwise: an index of 100 TiB.
const MAX_ANSWER_BYTES: usize = 1 << 30;

/// A backup or reader session.
#[pyclass(name = "Session", module = "pbstore._core", frozen)]
pub(crate) struct PySession {
    pub(super) inner: Arc<client::Session>,
}

#[pymethods]
impl PySession {
    #[pyo3(signature = (method, path, query="", body=None, content_type=None, *, max_bytes=MAX_ANSWER_BYTES))]
    #[allow(clippy::too_many_arguments)]
    fn request<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        path: &str,
        query: &str,
        body: Option<PyBackedBytes>,
        content_type: Option<&str>,
        max_bytes: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let body = body.map_or_else(Bytes::new, Bytes::from_owner);
        let call = Call::new(method, path, query, content_type, body).map_err(from_client)?;
        let stop = client::Progress::default();
        let answer = interrupt::run(py, &stop, || self.inner.request(call, max_bytes, &stop))?;
        Ok(PyBytes::new(py, &answer))
    }

    #[pyo3(signature = (source, archive_name, *, key, compress=true, previous=None, progress=None))]
    #[allow(clippy::too_many_arguments)]
    fn upload_image(
        &self,
        py: Python<'_>,
        source: Source,
        archive_name: &str,
        key: Option<&PyCryptKey>,
        compress: bool,
        previous: Option<&PyFixedIndex>,
        progress: Option<&PyProgress>,
    ) -> PyResult<PyUploadStats> {
        let source = match source {
            Source::Path(path) => ImageSource::Path(path),
            Source::Descriptor(descriptor) => ImageSource::File(duplicate(descriptor)?),
        };
        let (seal, progress) = (seal_options(key, compress), counters(progress));
        let previous = previous.map(|index| &index.inner);
        let stats = interrupt::run(py, &progress, || {
            client::upload_image(&self.inner, source, archive_name, &seal, previous, &progress)
        })?;
        Ok(stats.into())
    }

    #[pyo3(signature = (*, key, compress=true))]
    fn start_catalog(&self, py: Python<'_>, key: Option<&PyCryptKey>, compress: bool) -> PyResult<PyCatalogUpload> {
        let (seal, progress) = (seal_options(key, compress), counters(None));
        let catalog = interrupt::run(py, &progress, || CatalogUpload::start(&self.inner, &seal, &progress))?;
        Ok(PyCatalogUpload::new(&self.inner, catalog))
    }

    #[pyo3(signature = (source, archive_name, *, key, compress=true, previous=None, catalog=None, options=None,
        progress=None))]
    #[allow(clippy::too_many_arguments)]
    fn upload_tree(
        &self,
        py: Python<'_>,
        source: PathBuf,
        archive_name: &str,
        key: Option<&PyCryptKey>,
        compress: bool,
        previous: Option<&PyDynamicIndex>,
        catalog: Option<&PyCatalogUpload>,
        options: Option<&PyTreeOptions>,
        progress: Option<&PyProgress>,
    ) -> PyResult<PyUploadStats> {
        let (seal, progress, options) = (seal_options(key, compress), counters(progress), tree_options(options));
        let previous = previous.map(|index| &index.inner);
        let stats = interrupt::run(py, &progress, || {
            let upload = |catalog: &mut Option<CatalogUpload>| {
                client::upload_tree(&self.inner, &source, archive_name, &seal, previous, catalog, &options, &progress)
            };
            match catalog {
                Some(catalog) => upload(&mut catalog.lock()),
                None => upload(&mut None),
            }
        })?;
        Ok(stats.into())
    }

    #[pyo3(signature = (source, metadata_name, payload_name, *, key, compress=true, previous_metadata=None,
        previous_payload=None, reference=None, options=None, progress=None))]
    #[allow(clippy::too_many_arguments)]
    fn upload_split_tree(
        &self,
        py: Python<'_>,
        source: PathBuf,
        metadata_name: String,
        payload_name: String,
        key: Option<&PyCryptKey>,
        compress: bool,
        previous_metadata: Option<&PyDynamicIndex>,
        previous_payload: Option<&PyDynamicIndex>,
        reference: Option<&PyRemoteArchive>,
        options: Option<&PyTreeOptions>,
        progress: Option<&PyProgress>,
    ) -> PyResult<PySplitUploadStats> {
        let (seal, progress, options) = (seal_options(key, compress), counters(progress), tree_options(options));
        let names = SplitNames { metadata: metadata_name, payload: payload_name };
        let previous = PreviousSplit {
            metadata_index: previous_metadata.map(|index| index.inner.clone()),
            payload_index: previous_payload.map(|index| index.inner.clone()),
            metadata: reference.map(PyRemoteArchive::read_at),
        };
        let stats = interrupt::run(py, &progress, || {
            client::upload_split_tree(&self.inner, &source, &names, &seal, previous, &options, &progress)
        })?;
        PySplitUploadStats::new(py, stats)
    }

    #[pyo3(signature = (index, target_fd, *, key, crypt_mode, archive_name="image", progress=None, sparse=true))]
    #[allow(clippy::too_many_arguments)]
    fn restore_image(
        &self,
        py: Python<'_>,
        index: PyBackedBytes,
        target_fd: RawFd,
        key: Option<&PyCryptKey>,
        crypt_mode: &str,
        archive_name: &str,
        progress: Option<&PyProgress>,
        sparse: bool,
    ) -> PyResult<u64> {
        let archive = archive(archive_name, index, crypt_mode, key)?;
        let (target, progress) = (duplicate(target_fd)?, counters(progress));
        interrupt::run(py, &progress, || client::restore_image(&self.inner, archive, target, sparse, &progress))
    }

    #[pyo3(signature = (index, target, *, payload_index=None, key, crypt_mode, archive_name="tree",
        payload_name="payload", options=None, progress=None))]
    #[allow(clippy::too_many_arguments)]
    fn restore_tree(
        &self,
        py: Python<'_>,
        index: PyBackedBytes,
        target: PathBuf,
        payload_index: Option<PyBackedBytes>,
        key: Option<&PyCryptKey>,
        crypt_mode: &str,
        archive_name: &str,
        payload_name: &str,
        options: Option<&PyUnpackOptions>,
        progress: Option<&PyProgress>,
    ) -> PyResult<PyRestoreStats> {
        let payload = payload_index.map(|index| archive(payload_name, index, crypt_mode, key)).transpose()?;
        let source = TreeArchive { archive: archive(archive_name, index, crypt_mode, key)?, payload };
        let (progress, options) = (counters(progress), unpack_options(options));
        let stats =
            interrupt::run(py, &progress, || client::restore_tree(&self.inner, source, &target, &options, &progress))?;
        Ok(PyRestoreStats::new(py, stats))
    }

    #[pyo3(signature = (index, target_fd, *, key, crypt_mode, archive_name="archive", progress=None))]
    #[allow(clippy::too_many_arguments)]
    fn restore_stream(
        &self,
        py: Python<'_>,
        index: PyBackedBytes,
        target_fd: RawFd,
        key: Option<&PyCryptKey>,
        crypt_mode: &str,
        archive_name: &str,
        progress: Option<&PyProgress>,
    ) -> PyResult<u64> {
        let archive = archive(archive_name, index, crypt_mode, key)?;
        let (target, progress) = (duplicate(target_fd)?, counters(progress));
        interrupt::run(py, &progress, || client::restore_stream(&self.inner, archive, target, &progress))
    }

    #[pyo3(signature = (index, *, key, crypt_mode, archive_name="archive", progress=None))]
    fn verify_chunks(
        &self,
        py: Python<'_>,
        index: PyBackedBytes,
        key: Option<&PyCryptKey>,
        crypt_mode: &str,
        archive_name: &str,
        progress: Option<&PyProgress>,
    ) -> PyResult<u64> {
        let (archive, progress) = (archive(archive_name, index, crypt_mode, key)?, counters(progress));
        interrupt::run(py, &progress, || client::verify_chunks(&self.inner, archive, &progress))
    }

    #[pyo3(signature = (index, *, payload_index=None, key, crypt_mode, archive_name="tree", payload_name="payload",
        progress=None))]
    #[allow(clippy::too_many_arguments)]
    fn verify_tree(
        &self,
        py: Python<'_>,
        index: PyBackedBytes,
        payload_index: Option<PyBackedBytes>,
        key: Option<&PyCryptKey>,
        crypt_mode: &str,
        archive_name: &str,
        payload_name: &str,
        progress: Option<&PyProgress>,
    ) -> PyResult<PyVerifyStats> {
        let payload = payload_index.map(|index| archive(payload_name, index, crypt_mode, key)).transpose()?;
        let source = TreeArchive { archive: archive(archive_name, index, crypt_mode, key)?, payload };
        let progress = counters(progress);
        let stats = interrupt::run(py, &progress, || client::verify_tree(&self.inner, source, &progress))?;
        Ok(stats.into())
    }

    #[pyo3(signature = (index, *, key, crypt_mode, archive_name="archive", progress=None))]
    fn open_archive(
        &self,
        index: PyBackedBytes,
        key: Option<&PyCryptKey>,
        crypt_mode: &str,
        archive_name: &str,
        progress: Option<&PyProgress>,
    ) -> PyResult<PyRemoteArchive> {
        let archive = archive(archive_name, index, crypt_mode, key)?;
        Ok(PyRemoteArchive::new(&self.inner, archive, counters(progress)))
    }

    fn close(&self) {
        self.inner.close();
    }
}

fn seal_options(key: Option<&PyCryptKey>, compress: bool) -> SealOptions {
    SealOptions { key: key.map(|key| key.inner.clone()), compress }
}

/// An archive by its index, fixed or dynamic.
fn archive(name: &str, index: PyBackedBytes, crypt_mode: &str, key: Option<&PyCryptKey>) -> PyResult<Archive> {
    let mode = crypt_mode.parse().map_err(from_client)?;
    let bytes = Bytes::from_owner(index);
    let index: Box<dyn Index + Send + Sync> = match FixedIndex::parse(bytes.clone()) {
        Ok(index) => Box::new(index),
        Err(_) => Box::new(DynamicIndex::parse(bytes).map_err(from_format)?),
    };
    Archive::new(name.to_owned(), index, mode, key.map(|key| key.inner.clone())).map_err(from_client)
}
