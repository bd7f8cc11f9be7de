//! A value that threads share without the compiler looking into its type.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Weak};

/// Like [`Arc`], for values made of very many types: the city's parts, the policy engine.
///
/// The value is held as `dyn`, so that "may this go to another thread?" is answered from this type alone. Of a plain `Arc` the
/// compiler asks it of every type within, anew for each future, handler and extractor that holds one: that was half of the time
/// that building the API took.
pub struct Shared<T>(Arc<dyn Held<T>>);

/// A [`Shared`] value that this does not keep alive.
pub struct WeakShared<T>(Weak<dyn Held<T>>);

trait Held<T>: Send + Sync {
    fn value(&self) -> &T;
}

impl<T: Send + Sync> Held<T> for T {
    fn value(&self) -> &T {
        self
    }
}

impl<T: Send + Sync + 'static> Shared<T> {
    /// Shares a value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Shared<T> {
    /// Whether both are one value.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// A pointer that does not keep the value alive.
    pub fn downgrade(&self) -> WeakShared<T> {
        WeakShared(Arc::downgrade(&self.0))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        Held::value(self.0.as_ref())
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> WeakShared<T> {
    /// The value, while something keeps it alive.
    pub fn upgrade(&self) -> Option<Shared<T>> {
        self.0.upgrade().map(Shared)
    }
}

impl<T> Clone for WeakShared<T> {
    fn clone(&self) -> Self {
        Self(Weak::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_shared_and_goes_with_its_last_holder() {
        let first = Shared::new(vec![1, 2]);
        let second = first.clone();
        let weak = first.downgrade();
        assert_eq!(second.len(), 2);
        assert!(first.ptr_eq(&second) && !first.ptr_eq(&Shared::new(vec![1, 2])));
        drop((first, second));
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn it_goes_to_other_threads() {
        let shared = Shared::new(7);
        let there = shared.clone();
        assert_eq!(std::thread::spawn(move || *there + 1).join().unwrap(), 8);
    }
}
