//! The catalogue of every act that the audit trail can hold: its word, its title in Chinese and English, what it was done
//! to, and the fields of its detail. [`crate::audit::insert`] takes nothing else, and `docs/audit-events.md` is written
//! from this table (`UPDATE_EXPECT=1 cargo nextest run -p records catalogue`).
//!
//! A new act is a new line here. A word once released keeps its meaning.

mod act;
mod page;

pub use act::Act;
pub use page::as_markdown;

use serde::Serialize;

/// One field of an act's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name in the JSON object.
    pub name: &'static str,
    /// What it says, in Chinese.
    pub zh: &'static str,
    /// What it says, in English.
    pub en: &'static str,
    /// Whether it may be absent.
    pub optional: bool,
}

/// One line of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The word in the trail; one that ends with `*` is a family, whose last part is named when it is written.
    pub action: &'static str,
    /// Title in Chinese.
    pub title_zh: &'static str,
    /// Title in English.
    pub title_en: &'static str,
    /// How its target is written.
    pub target: &'static str,
    /// The fields of its detail.
    pub fields: &'static [Field],
}

impl Entry {
    /// The last part of a family's word; `None` when this word is not of this entry.
    pub fn matches<'a>(&self, action: &'a str) -> Option<&'a str> {
        match self.action.strip_suffix('*') {
            Some(begin) => action.strip_prefix(begin),
            None => (self.action == action).then_some(""),
        }
    }
}

const fn field(name: &'static str, zh: &'static str, en: &'static str) -> Field {
    let optional = false;
    Field {
        name,
        zh,
        en,
        optional,
    }
}

const fn maybe(name: &'static str, zh: &'static str, en: &'static str) -> Field {
    let optional = true;
    Field {
        name,
        zh,
        en,
        optional,
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $zh:literal, $en:literal, $target:literal, [$($field:expr),* $(,)?];)*) => {
        /// An act that the trail can hold.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Event {
            $( $(#[$doc])* $name, )*
        }

        impl Event {
            /// Every act.
            pub const ALL: &[Event] = &[$(Event::$name),*];

            /// Its line of the catalogue.
            pub const fn entry(self) -> &'static Entry {
                match self {
                    $(Self::$name => const { &Entry {
                        action: $word,
                        title_zh: $zh,
                        title_en: $en,
                        target: $target,
                        fields: &[$($field),*],
                    } },)*
                }
            }
        }
    };
}

events! {
    /// A person signed in.
    SessionOpen = "session.open", "登录", "Signed in", "user:<id>", [
        maybe("by", "登录方式", "how: password, totp, recovery, passkey, province"),
        maybe("provider", "外部身份提供方", "the outside provider that stood in for the password"),
    ];
    /// A sign-in was refused; the actor is the name that was tried.
    SessionRefused = "session.refused", "登录被拒绝", "Sign-in refused", "session", [
        maybe("provider", "外部身份提供方", "the outside provider"),
        maybe("why", "原因", "why: unlinked, closed, or what is wrong with the provider's answer"),
    ];
    /// An identity at an outside provider opens an account from now on.
    IdentityLink = "identity.link", "关联外部身份", "Outside identity linked", "user:<id>", [
        field("provider", "外部身份提供方", "the outside provider"),
        field("subject", "在提供方的编号", "what it knows the person by"),
        field("by", "关联方式", "how: person, claim"),
    ];
    /// An identity at an outside provider opens an account no more; by its person, or by who manages accounts.
    IdentityUnlink = "identity.unlink", "解除外部身份关联", "Outside identity unlinked", "user:<id>", [
        field("provider", "外部身份提供方", "the outside provider"),
        field("subject", "在提供方的编号", "what it knows the person by"),
    ];
    /// A person signed out.
    SessionClose = "session.close", "退出登录", "Signed out", "user:<id>", [];
    /// A session was ended by its person from another, or by an administrator.
    SessionEnd = "session.end", "结束会话", "Session ended", "user:<id>", [
        field("sessions", "结束的会话数", "how many ended"),
    ];
    /// The second factor of somebody whose password was right was wrong.
    SecondFactorRefused = "session.second-refused", "第二因素未通过", "Second factor refused", "user:<id>", [
        field("by", "方式", "how: totp, recovery, passkey"),
    ];
    /// A person put time-based codes to use.
    TotpAdd = "factor.totp.add", "启用动态口令", "Time-based codes put in use", "user:<id>", [];
    /// A person gave time-based codes up.
    TotpRemove = "factor.totp.remove", "停用动态口令", "Time-based codes given up", "user:<id>", [];
    /// A person got new recovery codes; those before are wrong from here on.
    RecoveryRenew = "factor.recovery.renew", "更换恢复码", "Recovery codes renewed", "user:<id>", [];
    /// A person added a passkey.
    PasskeyAdd = "factor.passkey.add", "新增通行密钥", "Passkey added", "user:<id>", [
        field("passkey", "通行密钥编号", "number of the passkey"),
        field("name", "名称", "name"),
    ];
    /// A person took a passkey away.
    PasskeyRemove = "factor.passkey.remove", "删除通行密钥", "Passkey removed", "user:<id>", [
        field("passkey", "通行密钥编号", "number of the passkey"),
        field("name", "名称", "name"),
    ];
    /// A passkey signed that may have been copied: its counter went back.
    PasskeyCloned = "factor.passkey.cloned", "通行密钥疑似被复制，已拒绝", "Passkey may have been copied; refused", "user:<id>", [
        field("passkey", "通行密钥编号", "number of the passkey"),
        field("counter", "本次计数", "counter that it said"),
        field("counter_before", "此前计数", "counter before"),
    ];
    /// An administrator took all second factors of a person away.
    FactorReset = "factor.reset", "重置第二因素", "Second factors reset", "user:<id>", [
        field("totp", "是否有动态口令", "whether there were time-based codes"),
        field("passkeys", "通行密钥数", "number of passkeys"),
    ];
    /// A person was added.
    UserCreate = "user.create", "新增用户", "User added", "user:<id>", [
        field("username", "登录名", "name to sign in with"),
        field("role", "角色", "role"),
        field("organisation_id", "所属单位，无则为空", "department, null for none"),
    ];
    /// A person's name, role, department or access was changed.
    UserChange = "user.change", "修改用户", "User changed", "user:<id>", [
        field("name", "姓名", "name"),
        field("role", "角色", "role"),
        field("organisation_id", "所属单位，无则为空", "department, null for none"),
        field("disabled", "是否停用", "whether sign-in is closed"),
        maybe("phone", "是否改了电话（不记号码）", "whether the telephone number was changed; not the number"),
    ];
    /// A person got a new password.
    UserPassword = "user.password", "重置密码", "Password set", "user:<id>", [];
    /// The city's policies were changed.
    PolicyChange = "policy.change", "修改权限策略", "Policies changed", "policy:<version>", [
        field("version", "自此生效的版本", "the version that holds from then on"),
        field("reason", "理由", "why"),
        field("documents", "各文件及其摘要（SM3）", "the documents, each with its digest (SM3)"),
        field("changed", "新增、修改或删除的文件", "documents that are new, changed or gone"),
    ];
    /// The packs of the city's folder were loaded anew.
    PackReload = "pack.reload", "重新装载专题包", "Packs loaded anew", "packs", [
        field("changed", "有变化的内容", "what is new, changed or gone"),
        maybe("refused", "被拒绝时的错误数", "how many mistakes refused it"),
    ];
    /// A person entered values by hand, in a form or on a board of a pack, or with a tool.
    DataEnter = "data.enter", "录入数据", "Values entered by hand", "entities", [
        field("entities", "各实体及其属性（不记数值，至多 20 个）", "the entities with their attributes, not the values; at most 20"),
        field("count", "实体数", "how many entities there are"),
    ];
    /// A dangerous act was asked for; a second person must approve it.
    ApprovalAsk = "approval.ask", "申请审批", "Approval asked for", "approval:<id>", [
        field("act", "待审批的操作", "the dangerous act"),
        field("target", "操作对象", "what it would be done to"),
        field("digest", "内容的 SM3 摘要", "SM3 of act, target and content"),
        field("reason", "理由", "why"),
        field("expires_at", "截止时间", "until when it can be decided on"),
    ];
    /// A second person approved a dangerous act, which is then done at once.
    ApprovalApprove = "approval.approve", "批准", "Approved", "approval:<id>", [
        field("act", "待审批的操作", "the dangerous act"),
        field("target", "操作对象", "what it is done to"),
        field("digest", "内容的 SM3 摘要", "SM3 of act, target and content"),
        field("asked_by", "申请人", "who asked for it"),
        field("note", "审批意见", "what the second person said"),
    ];
    /// A second person refused a dangerous act.
    ApprovalRefuse = "approval.refuse", "不批准", "Approval refused", "approval:<id>", [
        field("act", "待审批的操作", "the dangerous act"),
        field("target", "操作对象", "what it would have been done to"),
        field("asked_by", "申请人", "who asked for it"),
        field("note", "审批意见", "what the second person said"),
    ];
    /// Whoever asked for a dangerous act took it back.
    ApprovalWithdraw = "approval.withdraw", "撤回申请", "Approval withdrawn", "approval:<id>", [
        field("act", "待审批的操作", "the dangerous act"),
        field("target", "操作对象", "what it would have been done to"),
    ];
    /// Nobody decided in time.
    ApprovalExpire = "approval.expire", "审批逾期", "Approval ran out", "approval:<id>", [
        field("act", "待审批的操作", "the dangerous act"),
        field("target", "操作对象", "what it would have been done to"),
        field("asked_by", "申请人", "who asked for it"),
    ];
    /// An approved act was done, or could not be.
    ApprovalEnd = "approval.end", "审批事项办结", "Approved act ended", "approval:<id>", [
        field("act", "操作", "the dangerous act"),
        field("target", "操作对象", "what it was done to"),
        field("asked_by", "申请人", "who asked for it"),
        field("approved_by", "批准人", "who approved it"),
        field("done", "是否完成", "whether it was done"),
        field("outcome", "结果", "what became of it"),
    ];
    /// Whoever asked took their part of the outcome.
    ApprovalCollect = "approval.collect", "领取结果", "Part of the outcome taken", "approval:<id>", [
        field("act", "操作", "the dangerous act"),
        field("target", "操作对象", "what it was done to"),
    ];
    /// Departments were taken from the city profile.
    OrganisationImport = "organisation.import", "导入单位", "Organisations imported", "organisations", [
        field("ids", "新增或修改的单位", "departments that are new or changed"),
    ];
    /// An organisation was added by a person.
    OrganisationAdd = "organisation.add", "新增单位", "Organisation added", "organisation:<id>", [
        field("name_zh", "名称", "name"),
        field("kind", "类别", "kind"),
        field("parent", "上级单位，无则为空", "organisation above it, null for none"),
        field("credit_code", "统一社会信用代码，无则为空", "unified social credit code, null for none"),
        field("division", "区划代码，无则为空", "code of the division that it answers for, null for none"),
    ];
    /// An organisation was changed by a person.
    OrganisationChange = "organisation.change", "修改单位", "Organisation changed", "organisation:<id>", [
        field("name_zh", "名称", "name"),
        field("kind", "类别", "kind"),
        field("parent", "上级单位，无则为空", "organisation above it, null for none"),
        field("credit_code", "统一社会信用代码，无则为空", "unified social credit code, null for none"),
        field("division", "区划代码，无则为空", "code of the division that it answers for, null for none"),
        field("disabled", "是否停用", "whether it is closed"),
    ];
    /// Organisations, posts and people were taken from a file; each that is new or changed is a line of its own too.
    OrganisationRoster = "organisation.roster", "导入组织名册", "Roster imported", "organisations", [
        field("file", "文件名", "name of the file"), field("sha256", "文件的 SHA-256", "SHA-256 of the file"),
        field("organisations", "新增和修改的单位数", "organisations added and changed"),
        field("posts", "新增和修改的岗位数", "posts added and changed"), field("people", "新增和修改的人员数", "people added and changed"),
        field("holders", "新增的任职数", "posts given"),
    ];
    /// Organisations, posts and people, with their telephone numbers, were written to a file.
    OrganisationExport = "organisation.export", "导出组织名册", "Roster exported", "organisations", [
        field("organisations", "单位数", "organisations"),
        field("posts", "岗位数", "posts"),
        field("people", "人员数", "people"),
    ];
    /// A post was made.
    PostAdd = "post.add", "新增岗位", "Post added", "post:<id>", [
        field("organisation_id", "单位", "organisation"),
        field("title_zh", "岗位名称", "title"),
        field("role", "角色", "role that it gives"),
        field("division", "区划代码，无则为空", "code of the division that it answers for, null for none"),
    ];
    /// A post was changed.
    PostChange = "post.change", "修改岗位", "Post changed", "post:<id>", [
        field("title_zh", "岗位名称", "title"),
        field("role", "角色", "role that it gives"),
        field("division", "区划代码，无则为空", "code of the division that it answers for, null for none"),
        field("disabled", "是否停用", "whether it is closed"),
    ];
    /// A person was given a post.
    PostGive = "post.give", "任职", "Post given", "post:<id>", [
        field("user", "人员", "user's id"),
        field("from", "起始时间", "from when"),
        field("until", "截止时间，不限为空", "until when, null for as long as nobody ends it"),
    ];
    /// A person holds a post no longer.
    PostEnd = "post.end", "免职", "Post taken back", "post:<id>", [
        field("user", "人员", "user's id"),
    ];
    /// A person who leaves gave their work to another.
    UserHandover = "user.handover", "工作交接", "Work handed over", "user:<id>", [
        field("to", "接替人，无则为空", "user's id of the successor, null for none"),
        field("moved_to", "调入单位，停用账号则为空", "organisation moved to, null when sign-in was closed"),
        field("cases", "移交的案件", "numbers of the cases that moved"),
        field("posts", "结束的岗位", "posts that ended"),
        field("posts_given", "移交的岗位", "posts that the successor holds now"),
        field("sessions", "结束的会话数", "sessions that ended"),
        field("sign_ins", "结束的其他系统登录数", "sign-ins at other systems that ended"),
    ];
    /// A machine's token was made.
    TokenCreate = "token.create", "新增服务令牌", "Service token made", "token:<id>", [
        field("name", "用途", "what it is for"),
        field("role", "角色", "role"),
        field("expires_at", "到期时间，无则为空", "when it ends, null for never"),
    ];
    /// A machine's token was taken away.
    TokenRemove = "token.remove", "删除服务令牌", "Service token removed", "token:<id>", [
        field("name", "用途", "what it was for"),
    ];
    /// A device was registered.
    DeviceAdd = "device.add", "登记设备", "Device registered", "device:<client id>", [
        field("id", "设备所代表的对象", "the thing it speaks for"),
        field("type", "对象类型", "entity type of that thing"),
        maybe("kind", "凭据方式", "what it signs in with: password, psk"),
    ];
    /// A device's credentials were taken away.
    DeviceRemove = "device.remove", "注销设备", "Device removed", "device:<client id>", [
        field("id", "设备所代表的对象", "the thing it spoke for"),
        field("type", "对象类型", "entity type of that thing"),
    ];
    /// A device got a new password or key.
    DeviceRotate = "device.rotate", "轮换设备口令或密钥", "Device's password or key renewed", "device:<client id>", [
        field("id", "设备所代表的对象", "the thing it speaks for"),
        field("old_until", "旧口令或密钥有效至", "until when the old one is good"),
        maybe("kind", "凭据方式", "what it signs in with now: password, psk"),
    ];
    /// A device may sign in with a certificate.
    DeviceCertificateAdd = "device.certificate.add", "登记设备证书", "Device's certificate registered", "device:<client id>", [
        field("id", "设备所代表的对象", "the thing it speaks for"),
        field("fingerprint", "证书的 SHA-256", "SHA-256 of the certificate"),
        field("expires_at", "到期时间", "when it ends"),
    ];
    /// A device's certificate was taken away.
    DeviceCertificateRemove = "device.certificate.remove", "注销设备证书", "Device's certificate removed", "device:<client id>", [
        field("id", "设备所代表的对象", "the thing it speaks for"),
        field("fingerprint", "证书的 SHA-256", "SHA-256 of the certificate"),
    ];
    /// A device was asked something, or set, over its own protocol.
    DeviceAsk = "device.ask", "召测或设置设备", "Device asked or set", "device:<client id>", [
        field("id", "设备所代表的对象", "the thing it speaks for"),
        field("question", "问什么、设什么", "what was asked or set"),
        field("asked", "所问内容", "the question whole"),
    ];
    /// An alert was taken note of.
    AlertAcknowledge = "alert.acknowledge", "确认告警", "Alert acknowledged", "alert:<id>", [
        field("rule_id", "告警规则", "the rule that raised it"),
    ];
    /// A rule's failure was dismissed.
    RuleFailureDismiss = "rule.failure.dismiss", "忽略规则故障", "Rule's failure dismissed", "rule:<id>", [
        field("entity_id", "对象", "the entity"),
        field("code", "代码", "what failed, as a code"),
        field("count", "次数", "how often it happened"),
    ];
    /// A rule was tried on a past period.
    RuleBackTest = "rule.back-test", "规则回测", "Rule back-tested", "rule:<id>", [
        field("from", "开始时间", "from when"),
        field("until", "结束时间", "until when"),
    ];
    /// A run was asked for by a person.
    RunStart = "run.start", "运行计算任务", "Run asked for", "run-definition:<id>", [
        field("runs", "运行数", "how many runs were made"),
        field("first", "第一次运行的编号", "number of the first of them"),
        field("target_id", "对象，空为全部", "the target, null for all"),
    ];
    /// What a run fitted was adopted by a person.
    RunAdopt = "run.adopt", "采用计算结果", "Outcome of a run adopted", "run:<id>", [
        field("definition_id", "计算任务", "what was run"),
        field("entity_id", "实体", "the entity that has the values now"),
        field("attributes", "属性", "its attributes"),
    ];
    /// A thing was asked to be told something.
    CommandAsk = "command.ask", "申请控制指令", "Command asked for", "command:<id>", [
        field("entity_id", "实体", "the thing"),
        field("command", "指令", "the command"),
        field("value", "值", "what is asked"),
        field("reason", "理由", "why"),
    ];
    /// A second person agreed to a command.
    CommandApprove = "command.approve", "批准控制指令", "Command approved", "command:<id>", [
        field("note", "说明", "in their words"),
    ];
    /// A second person did not agree to a command.
    CommandRefuse = "command.refuse", "不批准控制指令", "Command refused", "command:<id>", [
        field("note", "理由", "why not"),
    ];
    /// The asker took a command back.
    CommandWithdraw = "command.withdraw", "撤回控制指令", "Command withdrawn", "command:<id>", [];
    /// Nobody agreed to a command in time.
    CommandExpire = "command.expire", "控制指令过期", "Command expired", "command:<id>", [];
    /// A command goes to the device; written before it does.
    CommandSend = "command.send", "下发控制指令", "Command sent", "command:<id>", [];
    /// The device answered a command.
    CommandDone = "command.done", "控制指令得到应答", "Command answered", "command:<id>", [];
    /// A command did not go, or it is not known whether it was carried out.
    CommandFail = "command.fail", "控制指令失败", "Command failed", "command:<id>", [
        field("codes", "原因代码", "why, by codes"),
    ];
    /// A maintenance window was made: alerts are not raised in it.
    MaintenanceAdd = "maintenance.add", "设置检修窗口", "Maintenance window made", "maintenance:<id>", [
        field("rule_id", "规则，空为全部", "the rule, null for all"),
        field("entity_id", "对象，空为全部", "the entity, null for all"),
        field("entity_type", "对象类型，空为全部", "the type of entities, null for all"),
        field("from", "开始时间", "from when"),
        field("until", "结束时间", "until when"),
        field("reason", "原因", "why"),
    ];
    /// A maintenance window was ended early.
    MaintenanceEnd = "maintenance.end", "提前结束检修窗口", "Maintenance window ended", "maintenance:<id>", [
        field("until", "原定结束时间", "until when it would have been"),
    ];
    /// A case was opened.
    CaseOpen = "case.open", "立案登记", "Case opened", "case:<id>", [
        field("number", "案件编号", "number of the case"),
        field("alert_id", "来源告警，无则为空", "the alert that it came from, null for none"),
    ];
    /// A file was added to a case.
    CaseAttach = "case.attach", "案件附件", "File added to a case", "case:<id>", [
        field("attachment", "附件号", "number of the attachment"),
        field("kind", "附件种类", "what it is: photo, voice, signature or document"),
        field("sha256", "文件的 SHA-256", "SHA-256 of the file"),
        field("size_bytes", "字节数", "size in bytes"),
    ];
    /// A step of a case; which steps there are is the workflow's, so the word's last part is the step's name.
    CaseStep = "case.*", "案件流转", "Step of a case", "case:<id>", [
        field("number", "案件编号", "number of the case"),
        field("from", "原状态", "state before"),
        field("to", "新状态", "state after"),
        maybe("detail", "该步的内容：分钟、期限、另一案件", "what the step holds beside words: minutes, a deadline, another case"),
    ];
    /// A case was sent to another Open311 endpoint; written before the first byte goes out.
    Open311Forward = "open311.forward", "转送案件到外部平台", "Case sent to another Open311 endpoint", "case:<id>", [
        field("number", "案件编号", "number of the case"),
        field("peer", "外部平台", "the endpoint's name in the settings"),
        field("reference", "标记", "what marks it there as ours"),
        field("attempt", "第几次", "how many times it has been sent, this one included"),
        field("personal", "是否带反映人信息", "whether the reporter's own data goes with it"),
    ];
    /// A person decided what becomes of a case that could not be sent.
    Open311Decide = "open311.decide", "处理转送疑难", "Decided on a case to be sent to another endpoint", "case:<id>", [
        field("number", "案件编号", "number of the case"),
        field("peer", "外部平台", "the endpoint's name in the settings"),
        field("act", "决定", "send: send it again; found: it is there; drop: leave it"),
        maybe("remote_id", "对方编号", "the id that it has there"),
    ];
    /// An observation was corrected or withdrawn.
    ObservationCorrect = "observation.correct", "更正观测数据", "Observation corrected", "entity:<id>", [
        field("position", "日志位置", "position in the journal"),
        field("attribute", "属性", "attribute"),
        field("observed_at", "观测时间", "when it was observed"),
        field("old_value", "原值", "value before"),
        field("new_value", "新值，空为撤销", "value after, null when withdrawn"),
        field("reason", "理由", "why"),
    ];
    /// History was given up after its time.
    HistoryExpire = "history.expire", "历史数据到期清除", "History given up after its time", "<table>", [
        field("rows", "行数", "rows"),
        field("types", "对象类型", "entity types"),
        field("from", "最早的一天", "first day"),
        field("to", "最后的一天", "last day"),
        field("folders", "天数", "number of days"),
        field("rows_by_folder", "各天行数", "rows by day"),
    ];
    /// A department's file became a table.
    TableImport = "table.import", "导入部门数据表", "Department's table imported", "table:<name>", [
        field("file", "文件名", "name of the file"),
        field("sha256", "文件的 SHA-256", "SHA-256 of the file"),
        field("rows", "行数", "rows"),
        field("rows_left_out", "剔除的行数", "rows left out"),
        field("department", "来源单位，无则为空", "department, null for none"),
    ];
    /// Readings, or what a register says, came in from a file with the columns of a declared table.
    DataImport = "data.import", "导入读数文件", "Readings taken in from a file", "table:<name>", [
        field("file", "文件名", "name of the file"),
        field("sha256", "文件的 SHA-256", "SHA-256 of the file"),
        field("rows", "有新内容的行数", "rows with something new"),
        field("rows_same", "已知、不再写入的行数", "rows of which everything was known"),
        field("rows_left_out", "剔除的行数", "rows left out"),
        field("values", "新数值的个数", "new values"),
        field("entities", "涉及的对象数", "entities of which something is new"),
        field("from", "最早的时间，无则为空", "the first moment of what is new, null for none"),
        field("to", "最晚的时间，无则为空", "the last moment, null for none"),
    ];
    /// A department's table was taken away.
    TableRemove = "table.remove", "删除部门数据表", "Department's table removed", "table:<name>", [
        maybe("file", "文件名", "name of the file it came from"),
        maybe("sha256", "文件的 SHA-256", "SHA-256 of that file"),
        maybe("rows", "行数", "rows"),
        maybe("imported_at", "导入时间", "when it was imported"),
        maybe("imported_by", "导入人", "who imported it"),
        maybe("department", "来源单位，无则为空", "department, null for none"),
        maybe("entry", "说明文件已损坏", "`damaged` when it could not be said what it was"),
    ];
    /// A figure of the plan was reported.
    IndicatorReport = "indicator.report", "填报指标", "Indicator reported", "indicator:<id>", [
        field("value", "数值", "value"),
        field("period", "统计期", "period"),
        field("evidence", "依据", "evidence"),
        maybe("filing", "填报编号", "number of the report"),
        maybe("corrects", "更正的填报编号", "number of the report that it corrects"),
        maybe("old_value", "更正前的数值", "value that it corrects"),
        maybe("reason", "更正理由", "why it is corrected"),
        maybe("locked", "统计期是否已锁定", "whether its period is locked"),
        maybe("files", "佐证材料的 SHA-256", "SHA-256 of each file that proves it"),
    ];
    /// A figure of the plan was written down as a draft, or changed before it is handed in.
    IndicatorReportSave = "indicator.report.save", "保存指标填报", "Indicator report saved", "indicator:<id>", [
        field("filing", "填报编号", "number of the report"),
        field("period", "统计期", "period"),
        field("value", "数值", "value"),
        maybe("old_value", "修改前的数值", "value before"),
    ];
    /// A file that proves a figure of the plan was added to its report.
    IndicatorReportFileAdd = "indicator.report.file-add", "添加佐证材料", "Proof of a report added", "indicator:<id>", [
        field("filing", "填报编号", "number of the report"),
        field("file", "文件号", "number of the file"),
        field("name", "文件名", "name of the file"),
        field("sha256", "文件的 SHA-256", "SHA-256 of the file"),
    ];
    /// A file was taken away from a report before that was handed in.
    IndicatorReportFileRemove = "indicator.report.file-remove", "移除佐证材料", "Proof of a report removed", "indicator:<id>", [
        field("filing", "填报编号", "number of the report"),
        field("file", "文件号", "number of the file"),
        field("name", "文件名", "name of the file"),
        field("sha256", "文件的 SHA-256", "SHA-256 of the file"),
    ];
    /// A level agreed to a figure of the plan.
    IndicatorReportApprove = "indicator.report.approve", "审批指标填报", "Indicator report approved", "indicator:<id>", [
        field("filing", "填报编号", "number of the report"),
        field("period", "统计期", "period"),
        field("value", "数值", "value"),
        field("level", "审批级别", "level"),
        field("counts", "是否就此审定", "whether the figure counts from now on"),
        field("note", "意见", "in the approver's words"),
    ];
    /// A level returned a figure of the plan.
    IndicatorReportReturn = "indicator.report.return", "退回指标填报", "Indicator report returned", "indicator:<id>", [
        field("filing", "填报编号", "number of the report"),
        field("level", "审批级别", "level"),
        field("note", "理由", "why"),
    ];
    /// A report of a figure was taken back.
    IndicatorReportWithdraw = "indicator.report.withdraw", "撤回指标填报", "Indicator report withdrawn", "indicator:<id>", [
        field("filing", "填报编号", "number of the report"),
        field("note", "说明", "in their words"),
    ];
    /// A period was locked: no figure of it changes any more but by a correction.
    IndicatorLock = "indicator.lock", "锁定统计期", "Period locked", "period:<period>", [
        field("reason", "理由", "why"),
    ];
    /// The lock of a period was lifted.
    IndicatorUnlock = "indicator.unlock", "解除统计期锁定", "Lock of a period lifted", "period:<period>", [
        field("reason", "理由", "why"),
    ];
    /// A case was made of a claim that is not what was measured.
    IndicatorCase = "indicator.case", "由指标差异立案", "Case made of a claim", "indicator:<id>", [
        field("period", "统计期", "period"),
        field("case", "案件编号", "the case's number"),
        field("claimed", "填报值", "claimed"),
        field("measured", "实测值", "measured"),
    ];
    /// A key project was added to those of the plan.
    ProjectAdd = "project.add", "新增重点项目", "Key project added", "project:<id>", [
        field("name", "名称", "its name"),
        field("reason", "依据", "why"),
    ];
    /// A part of a key project was changed.
    ProjectChange = "project.change", "修改重点项目", "Key project changed", "project:<id>", [
        field("section", "部分", "which part"),
        field("old", "修改前（仅不同之处）", "what was different before"),
        field("new", "修改后（仅不同之处）", "what is different now"),
    ];
    /// A key project was ended; it stays to be looked up.
    ProjectEnd = "project.end", "终止重点项目", "Key project ended", "project:<id>", [
        field("reason", "理由", "why"),
    ];
    /// The progress of a key project was stated for a month.
    ProjectReport = "project.report", "月调度填报", "Monthly report of a key project", "project:<id>", [
        field("month", "月份", "the month"),
        field("progress", "进展", "progress"),
        field("problems", "问题", "problems"),
    ];
    /// A reminder about a key project was sent, as a case.
    ProjectRemind = "project.remind", "发出督办", "Reminder about a key project", "project:<id>", [
        field("about", "事项", "what it is about"),
        field("case", "案件编号", "the case's number"),
    ];
    /// A photo of a key project's site was added.
    ProjectPhotoAdd = "project.photo-add", "添加现场照片", "Photo of a key project's site added", "project:<id>", [
        field("photo", "照片号", "number of the photo"),
        field("taken_on", "拍摄日期", "the day on which it was taken"),
        field("caption", "说明", "what it shows"),
        field("milestone", "里程碑，无则为空", "the milestone, null for none"),
        field("sha256", "文件的 SHA-256", "SHA-256 of the file"),
    ];
    /// A photo of a key project's site was removed from what is shown; its row and its file stay.
    ProjectPhotoRemove = "project.photo-remove", "移除现场照片", "Photo of a key project's site removed", "project:<id>", [
        field("photo", "照片号", "number of the photo"),
        field("sha256", "文件的 SHA-256", "SHA-256 of the file"),
        field("reason", "理由", "why"),
    ];
    /// A bill of charging that was held was decided on.
    ChargingDecide = "charging.decide", "复核充电账单", "Bill of charging decided on", "charging:<id>", [
        field("session", "充电站/交易编号", "station and transaction"), field("decision", "决定", "what was decided: accept, waive"),
        field("fen", "应付（分）", "what is to be paid, fen"), field("note", "理由", "why"),
    ];
    /// A tariff of charging was put in force.
    ChargingTariff = "charging.tariff", "发布充电电价", "Tariff of charging put in force", "charging-tariff:<number>", [
        field("id", "电价", "its id"), field("station", "充电站，通用则为空", "the station that it is for, null for all"),
        field("from", "生效时间", "from when it holds"), field("tariff", "全文", "all of it"),
    ];
    /// A card was registered for charging, or what is kept of it was changed.
    ChargingCard = "charging.card", "登记充电卡", "Card for charging registered", "charging-card:<pseudonym>", [
        field("holder", "持有人", "whose it is"), field("blocked", "是否停用", "whether it is blocked"),
        field("good_until", "有效期，不限为空", "until when it is good, null for until further notice"),
    ];
    /// A charging station was told something; written before it goes out.
    ChargingOrder = "charging.order", "向充电桩下发指令", "Charging station told something", "charging-station:<identity>", [
        field("order", "指令", "what: start, stop, cancel, unlock, reset, availability, limit, clear_limit, trigger, log, firmware, read_settings, write_settings, data, forget_cards"), field("outlet", "充电枪，整站为空", "the outlet, null for the station"),
        field("transaction", "交易编号，无则为空", "the transaction, null for none"),
        maybe("driver_order", "车主的充电请求", "the driver's order that it is for"), maybe("what", "指令内容", "what more it says; no passwords, and of settings their names alone"),
    ];
    /// A driver had what is owed of a bill of charging collected.
    ChargingPay = "charging.pay", "支付充电账单", "Bill of charging paid", "charging:<id>", [
        field("payment", "支付单号", "number of the payment"), field("fen", "金额（分）", "how much, fen"),
    ];
    /// Some of what was paid for a charge is given back; written before the provider is asked.
    ChargingRefund = "charging.refund", "退还充电费用", "Money of a charge given back", "charging:<id>", [
        field("payment", "支付单号", "number of the payment"), field("fen", "金额（分）", "how much, fen"), field("note", "理由", "why"),
    ];
    /// A month of charging was settled between operators.
    ChargingSettle = "charging.settle", "清分结算充电收入", "Income of charging settled", "charging-settlement:<month>", [
        field("statements", "结算单：站方、平台、应付、分成（分）", "the statements: operators, what is due, what is kept, fen"),
    ];
    /// How an operator's income from charging is taxed, and who sells, was written.
    ChargingSeller = "charging.seller", "维护充电开票信息", "Seller of charging written", "charging-seller:<operator>", [
        field("old", "修改前，新建为空", "what was there before, null for a new one"), field("new", "修改后", "what is there now"),
    ];
    /// An invoice of charging was asked for, issued, declined, or taken back.
    ChargingInvoice = "charging.invoice", "充电发票", "Invoice of charging", "charging-invoice:<id>", [
        field("step", "动作", "what: ask, issue, decline, reverse"), field("fen", "价税合计（分）", "what it comes to with tax, fen"),
        maybe("bills", "账单", "the bills that it is for"), maybe("number", "发票号码", "the number that it was given, or its red one"),
        maybe("note", "理由", "why"), maybe("replaced_by", "重开的发票", "the invoice of what is left"),
    ];
    /// What a partner collected of its customers for charges at the city's stations was entered as paid by it.
    ExchangeSettle = "charging.exchange-settle", "结算互联互通充电款", "Money of exchanged charges settled", "exchange-settlement:<month>", [
        field("partner", "对方单位", "the partner"), field("orders", "订单数", "how many orders"), field("fen", "金额（分）", "how much, fen"),
    ];
    /// A driver reserved a charge point, or gave the reservation up.
    ChargingReserve = "charging.reserve", "预约充电桩", "Charge point reserved", "charging-reservation:<id>", [
        field("step", "动作", "what: make, cancel"), field("station", "充电站", "the station"), field("outlet", "充电枪", "the outlet"),
        field("from", "开始", "from when"), field("to", "结束", "until when"),
    ];
    /// A package for investors was written; nobody outside sees it before it is published.
    PackageSave = "package.save", "编写推介内容", "Package for investors written", "package:<id>", [
        field("title", "标题", "its title"),
        field("old", "修改前，新建为空", "what was there before, null for a new one"),
        field("new", "修改后", "what is there now"),
    ];
    /// A package for investors was published.
    PackagePublish = "package.publish", "发布推介内容", "Package for investors published", "package:<id>", [
        field("title", "标题", "its title"),
        field("edition", "第几版", "which edition"),
    ];
    /// A package for investors was withdrawn.
    PackageWithdraw = "package.withdraw", "撤回推介内容", "Package for investors withdrawn", "package:<id>", [
        field("edition", "第几版", "which edition"),
        field("reason", "理由", "why"),
    ];
    /// A reporting form was begun or changed, and not handed in.
    FormSave = "form.save", "暂存报表", "Reporting form saved", "form:<id>/<period>/<division>", [
        field("asked", "填报的数据元与值", "what was written, by data element"),
    ];
    /// A reporting form was handed in.
    FormSubmit = "form.submit", "上报报表", "Reporting form handed in", "form:<id>/<period>/<division>", [
        field("asked", "填报的数据元与值", "what was written, by data element"),
        field("filled", "平台带出的项数", "how many fields the platform filled in"),
        maybe("old", "更正前的值", "what was written before"),
        maybe("reason", "更正理由", "why it is corrected"),
    ];
    /// A reporting form was given back to who handed it in.
    FormReturn = "form.return", "退回报表", "Reporting form returned", "form:<id>/<period>/<division>", [
        field("reason", "理由", "why"),
    ];
    /// A value that a form was filled in with was disputed.
    FormDispute = "form.dispute", "对带出的数提出异议", "Value of a form disputed", "form:<id>/<period>/<division>", [
        field("element", "数据元", "data element"),
        field("shown", "平台带出的值", "what the platform showed"),
        field("stated", "本镇所报的值", "what the town holds right"),
        field("why", "理由", "why"),
        field("case", "案件编号", "number of the case"),
        field("organisation", "答复单位", "who answers for the source"),
    ];
    /// A town took a step with its dispute.
    FormDisputeStep = "form.dispute-step", "办理异议", "Step with a dispute of a form", "form:<id>/<period>/<division>", [
        field("element", "数据元", "data element"),
        field("case", "案件编号", "number of the case"),
        field("step", "步骤", "accept, reject or withdraw"),
        field("note", "说明", "what was said"),
    ];
    /// A backup was taken.
    BackupTake = "backup.take", "备份", "Backup taken", "point:<number> of <folder>", [
        field("position", "日志位置", "position in the journal"),
        field("taken_at", "备份时间", "when"),
        maybe("damaged_files", "损坏文件数", "number of damaged files"),
    ];
    /// The city was made from a backup.
    BackupRestore = "backup.restore", "从备份恢复", "Restored from a backup", "point:<number> of <folder>", [
        field("position", "日志位置", "position in the journal"),
        field("taken_at", "备份时间", "when the backup was taken"),
        maybe("damaged_files", "损坏文件数", "number of damaged files"),
    ];
    /// A restore was tried.
    BackupDrill = "backup.drill", "恢复演练", "Restore drill", "point:<number> of <folder>", [
        field("good", "是否通过", "whether it passed"),
        field("what", "结果", "what was found"),
    ];
    /// A person let a system of a department know who they are.
    OidcApprove = "oidc.approve", "同意登录其他系统", "Sign-in to another system agreed to", "client:<client id>", [
        field("scopes", "允许的范围", "what it may know"),
        maybe("device", "是否为设备登录", "whether it was for a device"),
    ];
    /// A person refused it.
    OidcDeny = "oidc.deny", "拒绝登录其他系统", "Sign-in to another system refused", "client:<client id>", [
        field("scopes", "请求的范围", "what it asked to know"),
        maybe("device", "是否为设备登录", "whether it was for a device"),
    ];
    /// A system of a department was registered.
    OidcClientAdd = "oidc.client.add", "登记接入系统", "Client registered", "client:<client id>", [
        field("name", "名称", "name"),
        field("is_public", "是否无密钥", "whether it keeps no secret"),
        field("redirect_uris", "回调地址", "addresses that it is answered at"),
        field("grants", "授权方式", "grants"),
        field("scopes", "范围", "scopes"),
    ];
    /// What is registered of a system was changed.
    OidcClientChange = "oidc.client.change", "修改接入系统", "Client changed", "client:<client id>", [
        field("name", "名称", "name"),
        field("redirect_uris", "回调地址", "addresses that it is answered at"),
        field("grants", "授权方式", "grants"),
        field("scopes", "范围", "scopes"),
        field("disabled", "是否停用", "whether it is closed"),
    ];
    /// A system got a new secret.
    OidcClientSecret = "oidc.client.secret", "更换接入系统密钥", "Client's secret renewed", "client:<client id>", [
        field("name", "名称", "name"),
    ];
    /// A system was taken away.
    OidcClientRemove = "oidc.client.remove", "删除接入系统", "Client removed", "client:<client id>", [
        field("name", "名称", "name"),
    ];
    /// A system said a wrong secret, or one that is not known asked; the actor is the name that was said.
    OidcClientRefused = "oidc.client.refused", "接入系统认证失败", "Client refused", "client", [];
    /// What a person let a system know was withdrawn.
    OidcGrantEnd = "oidc.grant.end", "撤销对接入系统的授权", "Grant to a client ended", "user:<id>", [
        field("client", "接入系统", "the client"),
        field("sign_ins", "终止的登录数", "sign-ins that ended with it"),
    ];
    /// A code or refresh token came a second time, and its sign-in was ended.
    OidcReplay = "oidc.replay", "登录凭据重复使用，已终止登录", "Code or refresh token came twice; sign-in ended", "the person's subject", [
        field("client", "接入系统", "the client"),
        field("because", "原因", "what came twice"),
    ];
    /// A system gave a sign-in up.
    OidcRevoke = "oidc.revoke", "接入系统撤销登录", "Sign-in revoked by its client", "the person's subject", [
        field("client", "接入系统", "the client"),
    ];
    /// Tokens are signed with another key from here on.
    OidcKeys = "oidc.keys", "更换令牌签名密钥", "Token signing key renewed", "keys", [
        field("kid", "密钥编号", "number of the key"),
        maybe("ended_others", "其余密钥已立即废止", "whether every other key ended at once"),
    ];
    /// Somebody saw personal data whole.
    PersonalView = "personal.view", "查看个人信息", "Personal data seen", "personal", [
        field("purpose", "用途", "what for"),
        field("way", "途径", "by which way out"),
        field("entities", "对象及其属性", "entities, each with its attributes"),
        field("values", "属性个数", "number of attributes seen"),
    ];
    /// Everything held about a person was exported.
    PersonalExport = "personal.export", "导出个人信息", "Personal data exported", "personal", [
        field("purpose", "用途", "what for"),
        field("entities", "对象及其属性", "entities, each with its attributes"),
        field("values", "值的个数", "number of values exported"),
    ];
    /// Somebody asked who had seen a person's data.
    PersonalViewers = "personal.viewers", "查询个人信息查看记录", "Viewers of personal data asked for", "personal", [
        field("entities", "对象", "entities"),
        field("viewers", "记录数", "number of acts found"),
    ];
    /// Personal data is sealed under this key from here on.
    PersonalKey = "personal.key", "启用个人信息加密密钥", "Key of personal data put in use", "personal-key:<id>", [
        field("cipher", "算法", "cipher"),
        field("previous", "此前的密钥，首次为空", "the key before it, null for the first"),
        field("opens_old", "此前的值是否仍可读", "whether values of earlier keys can still be read"),
    ];
    /// A key of personal data is destroyed: what is still under it can never be read again.
    KeyRetire = "key.retire", "销毁个人信息加密密钥", "Key of personal data destroyed", "personal-key:<id>", [
        field("made_at", "启用时间", "when it was made"),
        maybe("followed_at", "停用时间", "since when another sealed"),
        field("needed", "仍需要它的值，按存储", "what still needed it, by store"),
        field("even_if_needed", "是否仍有数据需要它而强制销毁", "whether it was destroyed although something needed it"),
    ];
    /// Seals are signed with this key from here on.
    AuditKey = "audit.key", "启用审计签名密钥", "Audit signing key put in use", "audit-key:<id>", [
        field("previous", "此前的密钥，首次为空", "the key before it, null for the first"),
        field("chained_later", "建链时已有的记录数", "number of the last row that was there before the chain began"),
    ];
    /// A person set how they are reached; it is used once they proved that it is theirs.
    ContactSet = "contact.set", "设置联系方式", "Contact set", "user:<id>", [
        field("kind", "方式", "kind: email, phone; not the address or number"),
    ];
    /// A person proved that a contact is theirs.
    ContactVerify = "contact.verify", "验证联系方式", "Contact proven", "user:<id>", [
        field("kind", "方式", "kind: email, phone"),
    ];
    /// A person took a contact away.
    ContactRemove = "contact.remove", "删除联系方式", "Contact removed", "user:<id>", [
        field("kind", "方式", "kind: email, phone"),
    ];
    /// A person set when they are left in peace.
    QuietHoursSet = "contact.quiet", "设置免打扰时段", "Quiet hours set", "user:<id>", [
        field("from", "起始时刻，不设为空", "from when, null for never"),
        field("until", "截止时刻，不设为空", "until when, null for never"),
    ];
    /// A rule of who is told of what was added or changed.
    NoticeRulePut = "notice.rule.put", "设置通知规则", "Notice rule set", "notice-rule:<id>", [
        field("version", "版本", "version from then on"),
        field("enabled", "是否启用", "whether it tells anybody"),
    ];
    /// A shift of an organisation was made or changed.
    DutyPatternPut = "duty.pattern.put", "设置班次", "Shift set", "duty-pattern:<id>", [
        field("organisation", "单位编号", "id of the organisation"),
        field("title_zh", "班次", "title in Chinese"),
        field("from", "开始时刻", "from what time of the day"),
        field("until", "结束时刻", "until what time of the day"),
        field("disabled", "是否停用", "whether no turn of it is made any more"),
    ];
    /// Turns of duty were put on the roster.
    DutyTurnsAdd = "duty.turns.add", "排班", "Turns of duty added", "organisation:<id>", [
        field("turns", "人次", "how many turns"),
        field("first", "首日", "the first day"),
        field("last", "末日", "the last day"),
        maybe("file", "导入的文件", "the file that they came from"),
        maybe("sha256", "文件摘要（SHA-256）", "the file's hash"),
    ];
    /// A turn of duty was taken off the roster.
    DutyTurnRemove = "duty.turn.remove", "撤销排班", "Turn of duty removed", "duty-turn:<id>", [
        field("user_id", "人员编号", "whose it was"),
        field("day", "日期", "the day"),
        field("reason", "原因", "why"),
    ];
    /// A turn of duty went to somebody else.
    DutySwap = "duty.swap", "换班", "Turn of duty swapped", "duty-turn:<id>", [
        field("from_user_id", "原值班人员编号", "who had it"),
        field("to_user_id", "现值班人员编号", "who has it now"),
        field("reason", "原因", "why"),
    ];
    /// A shift was handed over.
    DutyHandOver = "duty.hand-over", "交班", "Shift handed over", "duty-hand-over:<id>", [
        field("day", "日期", "the day of the shift"),
        field("alerts", "未解除告警数", "open alerts"),
        field("cases", "超期案件数", "overdue cases"),
    ];
    /// A hand-over was signed by who took over.
    DutySign = "duty.sign", "接班签收", "Hand-over signed", "duty-hand-over:<id>", [
        field("on_roster", "值班表上是否当班", "whether the roster has them on duty"),
    ];
    /// A response plan was started.
    DutyPlanStart = "duty.plan.start", "启动预案", "Response plan started", "duty-activation:<id>", [
        field("plan", "预案编号", "the plan"),
        field("version", "版本", "its version"),
        field("drill", "是否演练", "whether it is a drill"),
        field("alert_id", "告警编号，可空", "the alert, null for none"),
        field("case_id", "案件编号，可空", "the case, null for none"),
    ];
    /// A step of a response plan was ticked off.
    DutyPlanStep = "duty.plan.step", "完成预案步骤", "Step of a response plan done", "duty-activation:<id>", [
        field("step", "步骤编号", "the step"),
        field("skipped", "是否跳过", "whether it was passed over"),
        field("late", "是否超时", "whether it was late"),
    ];
    /// A response plan ended.
    DutyPlanEnd = "duty.plan.end", "结束预案", "Response plan ended", "duty-activation:<id>", [
        field("steps_open", "未完成步骤数", "steps that are not done"),
    ];
    /// A document of the plan office was written as a file.
    PlanDocument = "plan.document", "生成规划公文", "Document of the plan office written", "plan-document:<kind>/<period>", [
        field("format", "格式", "pdf, docx or xlsx"),
        field("language", "语言", "language, as a tag"),
        maybe("number", "发文字号", "its number, when it has one"),
    ];
    /// A number was given to a document of the plan office.
    PlanNumberGive = "plan.number-give", "规划公文编号", "Number given to a document of the plan office", "plan-document:<kind>/<period>", [
        field("number", "发文字号", "its number"),
        field("language", "语言", "language, as a tag"),
        field("files", "各文件的格式和 SHA-256", "the files with their SHA-256"),
    ];
    /// A number was made void.
    PlanNumberVoid = "plan.number-void", "发文字号作废", "Number of a document made void", "plan-number:<year>/<number>", [
        field("number", "发文字号", "its number"),
        field("reason", "理由", "why"),
    ];
    /// A shift report was written.
    DutyReport = "duty.report", "导出值班报告", "Shift report written", "organisation:<id>", [
        field("from", "开始时间", "from when"),
        field("until", "结束时间", "until when"),
        field("format", "格式", "pdf or docx"),
        maybe("language", "语言", "language, as a tag"),
    ];
    /// An outside contact was written down.
    DutyContactAdd = "duty.contact.add", "新增外部联系人", "Outside contact added", "duty-contact:<id>", [
        field("organisation", "单位编号", "on whose list"),
        field("unit", "对方单位", "where they work"),
    ];
    /// An outside contact was taken away.
    DutyContactRemove = "duty.contact.remove", "删除外部联系人", "Outside contact removed", "duty-contact:<id>", [
        field("organisation", "单位编号", "on whose list"),
    ];
    /// A rule of who is told of what was taken away.
    NoticeRuleRemove = "notice.rule.remove", "删除通知规则", "Notice rule removed", "notice-rule:<id>", [];
    /// A message that was given up is sent once more.
    NoticeRetry = "notice.retry", "重发通知", "Message sent once more", "notice-message:<id>", [
        field("channel", "渠道", "channel"),
    ];
    /// Somebody looked at how safe the platform is, and with it at who failed to sign in.
    SecurityLook = "security.look", "查看安全态势", "Security view looked at", "security", [];
    /// Advisories about known holes were brought in.
    SecurityAdvisories = "security.advisories", "更新漏洞数据", "Advisories brought in", "security", [
        field("advisories", "公告条数", "number of advisories"),
        field("newest", "最新公告的日期", "date of the newest one"),
        field("holes", "涉及本程序的漏洞数", "holes of this program"),
        field("unread", "未能读取的文件数", "files that could not be read"),
    ];
    /// Somebody looked at the trail.
    AuditSearch = "audit.search", "查阅审计日志", "Audit trail looked at", "audit", [
        maybe("from", "起始时间", "from when"),
        maybe("to", "截止时间", "to when"),
        maybe("actor", "操作人", "actor"),
        maybe("action", "事件", "act"),
        maybe("target", "对象", "target"),
        maybe("text", "文字", "text"),
        maybe("by", "途径：sql 表示以 SQL 语句读取表 audit", "how: sql when a statement read the table audit"),
    ];
    /// Somebody had the chain verified.
    AuditVerify = "audit.verify", "校验审计链", "Audit chain verified", "audit", [
        field("whole", "是否完整", "whether it is whole"),
        field("last", "校验到第几条", "the last row that was looked at"),
    ];
    /// The trail was written to a file.
    AuditExport = "audit.export", "导出审计日志", "Audit trail exported", "audit", [
        field("from", "起始时间，不限为空", "from when, null for the beginning"),
        field("to", "截止时间，不限为空", "to when, null for the end"),
    ];
}

/// The line of the catalogue for a word of the trail; a word from before the catalogue may have none.
pub fn find(action: &str) -> Option<&'static Entry> {
    let all = || Event::ALL.iter().map(|event| event.entry());
    all()
        .find(|entry| entry.action == action)
        .or_else(|| all().find(|entry| entry.matches(action).is_some()))
}

#[cfg(test)]
mod tests;
