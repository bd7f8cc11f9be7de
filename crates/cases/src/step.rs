//! The seven steps of digital urban management (数字化城市管理的七个环节, CJJ/T 106): what the states of every workflow are mapped to,
//! so that cases of different workflows stand beside each other.

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Information is collected (信息采集).
    Collect,
    /// A case is filed (案件建立).
    File,
    /// The work is dispatched (任务派遣).
    Dispatch,
    /// The work is done (任务处理).
    Handle,
    /// What was done is verified (处理反馈、核查).
    Verify,
    /// The case is closed (核查结案).
    Close,
    /// How it went is assessed (综合评价).
    Assess,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Self; 7] = [
        Self::Collect,
        Self::File,
        Self::Dispatch,
        Self::Handle,
        Self::Verify,
        Self::Close,
        Self::Assess,
    ];

    /// The word in workflows and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::File => "file",
            Self::Dispatch => "dispatch",
            Self::Handle => "handle",
            Self::Verify => "verify",
            Self::Close => "close",
            Self::Assess => "assess",
        }
    }

    /// The step of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_and_others_are_not() {
        for step in Step::ALL {
            assert_eq!(Step::parse(step.as_str()), Some(step));
        }
        assert_eq!(Step::parse("Collect"), None);
    }
}
