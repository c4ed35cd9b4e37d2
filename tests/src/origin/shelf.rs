//! The resources by path, each replaceable at any time. A reply under way keeps the version that it began with.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use super::resource::Resource;

#[derive(Debug, Default)]
pub(super) struct Shelf(RwLock<HashMap<String, Resource>>);

impl Shelf {
    pub(super) fn put(&self, path: &str, resource: Resource) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), resource);
    }

    pub(super) fn remove(&self, path: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    pub(super) fn look_up(&self, path: &str) -> Option<Resource> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}
