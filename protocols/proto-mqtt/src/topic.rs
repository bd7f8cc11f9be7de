//! Topic names and filters (4.7): what is well formed, what matches, what one filter allows of
//! another, and a tree that finds the subscribers of a topic.

use std::collections::HashMap;
use std::hash::Hash;

/// Whether `topic` is a topic name: not empty, no wildcard, no U+0000.
pub fn is_name(topic: &str) -> bool {
    !topic.is_empty() && !topic.bytes().any(|b| b == b'+' || b == b'#' || b == 0)
}

/// Whether `filter` is a topic filter: wildcards fill a level, `#` only as the last.
pub fn is_filter(filter: &str) -> bool {
    if filter.is_empty() || filter.bytes().any(|b| b == 0) {
        return false;
    }
    let mut levels = filter.split('/').peekable();
    while let Some(level) = levels.next() {
        let good = match level {
            "#" => levels.peek().is_none(),
            "+" => true,
            other => !other.contains(['+', '#']),
        };
        if !good {
            return false;
        }
    }
    true
}

/// Whether the topic is one of the messages that the filter asks for. Topics that begin with `$`
/// are not met by a wildcard in the first level (4.7.2).
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut names = topic.split('/');
    for level in filter.split('/') {
        match (level, names.next()) {
            // "a/#" also means "a".
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (level, Some(name)) if level == name => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

/// Whether every topic that `wanted` asks for is one that `allowed` asks for.
pub fn covers(allowed: &str, wanted: &str) -> bool {
    if wanted.starts_with('$') && allowed.starts_with(['+', '#']) {
        return false;
    }
    let mut wanted = wanted.split('/');
    for level in allowed.split('/') {
        match (level, wanted.next()) {
            ("#", _) => return true,
            ("+", Some(name)) if name != "#" => {}
            (level, Some(name)) if level == name => {}
            _ => return false,
        }
    }
    wanted.next().is_none()
}

/// Filters of many subscribers, arranged by level, so that a topic finds its subscribers in time that
/// depends on its depth and not on how many filters there are.
#[derive(Debug)]
pub struct FilterTree<K, V> {
    root: Node<K, V>,
    entries: usize,
}

#[derive(Debug)]
struct Node<K, V> {
    children: HashMap<Box<str>, Node<K, V>>,
    any: Option<Box<Node<K, V>>>,
    here: Vec<(K, V)>,
    below: Vec<(K, V)>,
}

impl<K, V> Default for Node<K, V> {
    fn default() -> Self {
        Self {
            children: HashMap::new(),
            any: None,
            here: Vec::new(),
            below: Vec::new(),
        }
    }
}

impl<K, V> Node<K, V> {
    fn is_empty(&self) -> bool {
        self.children.is_empty()
            && self.any.is_none()
            && self.here.is_empty()
            && self.below.is_empty()
    }
}

impl<K, V> Default for FilterTree<K, V> {
    fn default() -> Self {
        Self {
            root: Node::default(),
            entries: 0,
        }
    }
}

impl<K: Eq + Hash, V> FilterTree<K, V> {
    /// How many subscriptions are in the tree.
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Whether nobody listens.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Puts the subscriber under the filter; answers what stood there for the same subscriber.
    pub fn insert(&mut self, filter: &str, subscriber: K, value: V) -> Option<V> {
        let list = self.root.list_mut(filter);
        if let Some(entry) = list.iter_mut().find(|(k, _)| *k == subscriber) {
            return Some(std::mem::replace(&mut entry.1, value));
        }
        list.push((subscriber, value));
        self.entries += 1;
        None
    }

    /// Takes the subscriber from under the filter.
    pub fn remove(&mut self, filter: &str, subscriber: &K) -> Option<V> {
        let removed = self.root.remove(filter, subscriber);
        self.entries -= usize::from(removed.is_some());
        removed
    }

    /// Calls `found` for each subscription that the topic meets; a subscriber with overlapping
    /// filters is found once for each.
    pub fn find<'t>(&'t self, topic: &str, found: &mut impl FnMut(&'t K, &'t V)) {
        let wildcards = !topic.starts_with('$');
        self.root.find(Some(topic), wildcards, found);
    }
}

impl<K: Eq + Hash, V> Node<K, V> {
    fn list_mut(&mut self, filter: &str) -> &mut Vec<(K, V)> {
        let (level, rest) = split(filter);
        if level == "#" {
            return &mut self.below;
        }
        let child = if level == "+" {
            self.any.get_or_insert_default()
        } else {
            self.children.entry(level.into()).or_default()
        };
        match rest {
            Some(rest) => child.list_mut(rest),
            None => &mut child.here,
        }
    }

    fn remove(&mut self, filter: &str, subscriber: &K) -> Option<V> {
        let take = |list: &mut Vec<(K, V)>| {
            let at = list.iter().position(|(k, _)| k == subscriber)?;
            Some(list.swap_remove(at).1)
        };
        let (level, rest) = split(filter);
        if level == "#" {
            return take(&mut self.below);
        }
        let child = if level == "+" {
            self.any.as_deref_mut()?
        } else {
            self.children.get_mut(level)?
        };
        let removed = match rest {
            Some(rest) => child.remove(rest, subscriber),
            None => take(&mut child.here),
        };
        if child.is_empty() {
            if level == "+" {
                self.any = None;
            } else {
                self.children.remove(level);
            }
        }
        removed
    }

    fn find<'t>(
        &'t self,
        topic: Option<&str>,
        wildcards: bool,
        found: &mut impl FnMut(&'t K, &'t V),
    ) {
        if wildcards {
            self.below.iter().for_each(|(k, v)| found(k, v));
        }
        let Some(topic) = topic else {
            self.here.iter().for_each(|(k, v)| found(k, v));
            return;
        };
        let (level, rest) = split(topic);
        if let Some(child) = self.children.get(level) {
            child.find(rest, true, found);
        }
        if wildcards && let Some(child) = &self.any {
            child.find(rest, true, found);
        }
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((level, rest)) => (level, Some(rest)),
        None => (path, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_in_the_standard() {
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/ranking",
                true,
            ),
            ("sport/#", "sport", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/x", false),
            ("+/monitor", "$SYS/monitor", false),
            ("$SYS/#", "$SYS/monitor", true),
            ("#", "a/b", true),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
            let mut tree = FilterTree::default();
            tree.insert(filter, 1, ());
            let mut n = 0;
            tree.find(topic, &mut |_, ()| n += 1);
            assert_eq!(n == 1, expected, "tree: {filter} {topic}");
        }
    }

    #[test]
    fn filters_are_checked() {
        for good in ["#", "+", "a/+/b", "/", "a/#", "+/#", "街/水"] {
            assert!(is_filter(good), "{good}");
        }
        for bad in ["", "a#", "a/#/b", "a+", "+a/b", "a\0"] {
            assert!(!is_filter(bad), "{bad}");
        }
    }

    #[test]
    fn a_filter_covers_what_is_inside_it() {
        for (allowed, wanted, expected) in [
            ("devices/7/#", "devices/7/down", true),
            ("devices/7/#", "devices/7/#", true),
            ("devices/7/#", "devices/7", true),
            ("devices/7/#", "devices/+/down", false),
            ("devices/7/#", "#", false),
            ("devices/+/up", "devices/7/up", true),
            ("devices/+/up", "devices/+/up", true),
            ("devices/+/up", "devices/#", false),
            ("#", "$SYS/x", false),
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
        ] {
            assert_eq!(covers(allowed, wanted), expected, "{allowed} {wanted}");
        }
    }

    #[test]
    fn the_tree_forgets() {
        let mut tree = FilterTree::default();
        assert_eq!(tree.insert("a/+/#", "x", 1), None);
        assert_eq!(tree.insert("a/+/#", "x", 2), Some(1));
        assert_eq!(tree.remove("a/+", &"x"), None);
        assert_eq!(tree.remove("a/+/#", &"x"), Some(2));
        assert!(tree.is_empty() && tree.root.is_empty());
    }
}
