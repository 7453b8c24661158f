//! Request targets: cleaned, never redirected (protocol-transport.md 3.1).

/// Drop empty components. None when a component starts with a dot, encoded or not.
pub(crate) fn clean_path(path: &str) -> Option<String> {
    let components = path.split('/').filter(|component| !component.is_empty());
    let mut clean = String::with_capacity(path.len());
    for component in components {
        if component.starts_with('.') || component.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("%2e")) {
            return None;
        }
        clean.push('/');
        clean.push_str(component);
    }
    if clean.is_empty() {
        clean.push('/');
    }
    Some(clean)
}

#[cfg(test)]
mod tests {
    use super::clean_path;

    #[test]
    fn drops_empty_components() {
        assert_eq!(clean_path("//api2//json/").as_deref(), Some("/api2/json"));
        assert_eq!(clean_path("/").as_deref(), Some("/"));
        assert_eq!(clean_path("").as_deref(), Some("/"));
        assert_eq!(clean_path("/a%3Ab/c.d").as_deref(), Some("/a%3Ab/c.d"));
    }

    #[test]
    fn refuses_hidden_components() {
        for path in ["/.", "/..", "/a/../b", "/a/.b", "/%2e%2e/x", "/a/%2E"] {
            assert_eq!(clean_path(path), None, "{path}");
        }
    }
}
