//! Organisations, posts, people, hand-overs and rosters on a real SQLite file.

use crate::store::quick;
use identity::roster::columns::Kind;
use identity::roster::{Doing, Limits, Mistake, Sheet};
use identity::{
    HandOver, Identity, NewOrganisation, NewPerson, NewPost, Options, OrganisationChange,
    Permission, PersonChange, PostChange, Role,
};
use model::Timestamp;
use records::cases::{self, Case};
use records::organisations::Organisation;
use records::users::{PeopleFilter, User};
use records::{Actor, Failure, PageRequest, Records, audit, users};
use tempfile::TempDir;

const T0: Timestamp = Timestamp::from_seconds(1_800_000_000);

struct City {
    _dir: TempDir,
    records: Records,
    identity: Identity,
}

fn cli() -> Actor {
    Actor::command_line()
}

/// A city with two departments of the profile, an admin, and two field workers of the first.
async fn city_with(options: Options) -> City {
    let (dir, records, identity) = crate::store::open(options).await;
    let profile = [
        Organisation::department("water", "水利局", "Water Bureau"),
        Organisation::department("roads", "交通局", "Roads Bureau"),
    ];
    identity
        .import_organisations(&profile, &cli(), T0)
        .await
        .unwrap();
    let city = City {
        _dir: dir,
        records,
        identity,
    };
    city.person("admin", Role::Admin, None).await;
    city.person("li.si", Role::Field, Some("water")).await;
    city.person("wang.wu", Role::Field, Some("water")).await;
    city
}

async fn city() -> City {
    city_with(quick()).await
}

impl City {
    async fn person(&self, username: &str, role: Role, organisation: Option<&str>) -> User {
        let person = NewPerson {
            username: username.to_owned(),
            name: format!("姓名 {username}"),
            role,
            organisation_id: organisation.map(str::to_owned),
            password: Some("a long enough password".to_owned()),
        };
        let actor = cli();
        let made = self.identity.create_user(&person, &actor, T0).await;
        made.unwrap().user
    }

    async fn id(&self, username: &str) -> i64 {
        self.identity.user_by_username(username).await.unwrap().id
    }

    async fn post(&self, organisation: &str, title: &str, role: &str) -> String {
        let new = NewPost {
            organisation_id: organisation.to_owned(),
            title_zh: title.to_owned(),
            role: role.to_owned(),
            ..NewPost::default()
        };
        self.identity.add_post(&new, &cli(), T0).await.unwrap().id
    }

    async fn give(&self, post: &str, username: &str) -> i64 {
        let user = self.id(username).await;
        let given = self
            .identity
            .give_post(post, user, (None, None), &cli(), T0)
            .await;
        given.unwrap().id
    }

    /// An open case that a person handles.
    async fn case(&self, number: &str, assignee: i64) -> Case {
        let mut write = self.records.write().await.unwrap();
        let row = Case {
            id: 0,
            number: number.to_owned(),
            title: "井盖缺失".to_owned(),
            description: String::new(),
            workflow: "city-case".to_owned(),
            workflow_version: 0,
            state: "handling".to_owned(),
            severity: "minor".to_owned(),
            alert_id: None,
            entity_id: None,
            lon: None,
            lat: None,
            organisation_id: Some("water".to_owned()),
            assignee_id: Some(assignee),
            created_at: T0,
            created_by: "duty".to_owned(),
            created_by_id: None,
            updated_at: T0,
            due_at: None,
            closed_at: None,
            version: 1,
            category: None,
            town: None,
            grid: None,
            source: "staff".to_owned(),
            reporter: None,
            reporters: 1,
            parent_id: None,
            duplicate_of: None,
            case_due_at: None,
            extension_minutes: None,
            extensions: 0,
            supervised_until: None,
            suspended_at: None,
            suspended_until: None,
            escalation: 0,
            escalates_at: None,
            reopened: 0,
        };
        let case = cases::insert(&mut write, &row).await.unwrap();
        write.commit().await.unwrap();
        case
    }

    async fn sign_in(&self, username: &str, now: Timestamp) -> String {
        let password = "a long enough password";
        let signed = self.identity.sign_in(username, password, "10.0.0.1", now);
        signed.await.unwrap().secret
    }

    async fn acts(&self, action: &str) -> Vec<String> {
        let page = PageRequest {
            after: None,
            limit: Some(500),
        };
        let all = audit::list(&mut self.records.read().await.unwrap(), &page).await;
        let mut all = all.unwrap().items;
        all.reverse();
        all.into_iter()
            .filter(|a| a.action == action)
            .map(|a| a.target)
            .collect()
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> String {
    let failure = result.unwrap_err();
    failure.problem().expect("a problem").code.clone()
}

fn company(id: &str) -> NewOrganisation {
    NewOrganisation {
        id: id.to_owned(),
        name_zh: format!("{id} 公司"),
        kind: "operator".to_owned(),
        parent: Some("water".to_owned()),
        ..NewOrganisation::default()
    }
}

#[tokio::test]
async fn organisations_are_added_changed_and_refused_with_a_reason() {
    let city = city().await;
    let add = async |change: &dyn Fn(&mut NewOrganisation)| {
        let mut new = company("pump-co");
        change(&mut new);
        city.identity.add_organisation(&new, &cli(), T0).await
    };
    assert_eq!(
        code(add(&|o| o.id = "水泵".into()).await),
        "organisation-id"
    );
    assert_eq!(code(add(&|o| o.name_zh = " ".into()).await), "name");
    assert_eq!(
        code(add(&|o| o.kind = "club".into()).await),
        "organisation-kind"
    );
    assert_eq!(
        code(add(&|o| o.parent = Some("nobody".into())).await),
        "organisation-parent"
    );
    let wrong = |o: &mut NewOrganisation| o.credit_code = Some("91330100799655058A".into());
    assert_eq!(code(add(&wrong).await), "credit-code");
    let wrong = |o: &mut NewOrganisation| o.division = Some("42".into());
    assert_eq!(code(add(&wrong).await), "division-code");
    assert_eq!(city.acts("organisation.add").await, [""; 0]);
    let good = |o: &mut NewOrganisation| {
        o.credit_code = Some("91330100799655058b".into());
        o.division = Some("429006001".into());
    };
    let made = add(&good).await.unwrap();
    assert_eq!(made.credit_code.as_deref(), Some("91330100799655058B"));
    assert_eq!(
        (made.name_en.as_str(), made.of_profile),
        ("pump-co 公司", false)
    );
    assert_eq!(code(add(&good).await), "organisation-taken");
    let other = |o: &mut NewOrganisation| {
        good(o);
        o.id = "other-co".into();
    };
    assert_eq!(code(add(&other).await), "credit-code-taken");

    let change = async |id: &str, change: OrganisationChange| {
        city.identity
            .change_organisation(id, &change, &cli(), T0)
            .await
    };
    let renamed = OrganisationChange {
        name_zh: Some("水务局".into()),
        ..OrganisationChange::default()
    };
    assert_eq!(
        code(change("water", renamed.clone()).await),
        "organisation-of-profile"
    );
    assert_eq!(change("pump-co", renamed).await.unwrap().name_zh, "水务局");
    let above_itself = OrganisationChange {
        parent: Some(Some("pump-co".into())),
        ..OrganisationChange::default()
    };
    assert_eq!(
        code(change("water", above_itself).await),
        "organisation-parent"
    );
    let closed = OrganisationChange {
        disabled: Some(true),
        parent: Some(None),
        ..OrganisationChange::default()
    };
    let row = change("water", closed.clone()).await.unwrap();
    assert!(row.disabled && row.parent.is_none() && row.of_profile);
    // What people did to it stays when the profile is read again.
    let profile = [Organisation::department("water", "水利和湖泊局", "Water")];
    city.identity
        .import_organisations(&profile, &cli(), T0)
        .await
        .unwrap();
    let all = city.identity.organisations().await.unwrap();
    let water = all.iter().find(|o| o.id == "water").unwrap();
    assert!(water.disabled && water.name_zh == "水利和湖泊局");
    // The same again changes nothing and is no act.
    let before = city.acts("organisation.change").await.len();
    change("water", closed).await.unwrap();
    assert_eq!(city.acts("organisation.change").await.len(), before);
    assert_eq!(
        code(change("nobody", OrganisationChange::default()).await),
        "not-found"
    );
}

#[tokio::test]
async fn a_post_gives_its_role_for_as_long_as_it_is_held() {
    let city = city().await;
    let watch = city.post("roads", "值守", "duty").await;
    assert_eq!(watch, "roads-1");
    assert_eq!(city.post("roads", "巡查", "field").await, "roads-2");
    let secret = city.sign_in("li.si", T0).await;
    let who = async |now| {
        let found = city.identity.session_principal(&secret, now).await;
        found.unwrap().unwrap()
    };
    let before = who(T0).await;
    assert!(before.posts.is_empty() && !before.may(Permission::CaseDispatch));
    let (from, until) = (T0.plus_seconds(60), T0.plus_seconds(120));
    let user = city.id("li.si").await;
    let given = city
        .identity
        .give_post(&watch, user, (Some(from), Some(until)), &cli(), T0)
        .await;
    given.unwrap();
    assert!(who(T0.plus_seconds(59)).await.posts.is_empty());
    let holding = who(from).await;
    assert_eq!(
        (holding.posts[0].post_id.as_str(), holding.posts[0].role),
        ("roads-1", Role::Duty)
    );
    assert!(holding.may(Permission::CaseDispatch) && holding.may(Permission::CaseHandle));
    assert_eq!(holding.role, Role::Field, "the main role stays");
    assert_eq!(holding.organisations(), ["water", "roads"]);
    let acting = holding.acting("10.0.0.1");
    assert!(acting.works_in("water") && acting.works_in("roads") && !acting.works_in("x"));
    assert!(!who(until).await.may(Permission::CaseDispatch));
    // A closed post and a closed organisation give nothing.
    let close = PostChange {
        disabled: Some(true),
        ..PostChange::default()
    };
    city.identity
        .change_post(&watch, &close, &cli(), T0)
        .await
        .unwrap();
    assert!(!who(from).await.may(Permission::CaseDispatch));
    let open = PostChange {
        disabled: Some(false),
        ..PostChange::default()
    };
    city.identity
        .change_post(&watch, &open, &cli(), T0)
        .await
        .unwrap();
    assert!(who(from).await.may(Permission::CaseDispatch));
    let closed = OrganisationChange {
        disabled: Some(true),
        ..OrganisationChange::default()
    };
    city.identity
        .change_organisation("roads", &closed, &cli(), T0)
        .await
        .unwrap();
    assert!(who(from).await.posts.is_empty());
    assert_eq!(
        city.acts("post.give").await,
        ["post:roads-1"],
        "one act for one giving"
    );
}

#[tokio::test]
async fn posts_are_refused_with_a_reason_and_end_once() {
    let city = city_with(Options {
        posts_per_person_max: 2,
        ..quick()
    })
    .await;
    let new = |change: &dyn Fn(&mut NewPost)| {
        let mut new = NewPost {
            organisation_id: "water".into(),
            title_zh: "值守".into(),
            role: "duty".into(),
            ..NewPost::default()
        };
        change(&mut new);
        new
    };
    let add = async |change: &dyn Fn(&mut NewPost)| {
        city.identity.add_post(&new(change), &cli(), T0).await
    };
    // No post makes an administrator, whatever it is called.
    for role in Role::all().filter(|r| r.permissions().contains(&Permission::UserManage)) {
        let admin = |p: &mut NewPost| p.role = role.to_string();
        assert_eq!(code(add(&admin).await), "post-role");
    }
    assert_eq!(code(add(&|p| p.role = "king".into()).await), "unknown-role");
    assert_eq!(
        code(add(&|p| p.organisation_id = "nobody".into()).await),
        "unknown-organisation"
    );
    assert_eq!(code(add(&|p| p.id = "A".into()).await), "post-id");
    assert_eq!(
        code(add(&|p| p.duty = "长".repeat(2_001)).await),
        "post-duty"
    );
    add(&|p| p.id = "watch".into()).await.unwrap();
    assert_eq!(code(add(&|p| p.id = "watch".into()).await), "post-taken");
    assert_eq!(code(add(&|_| ()).await), "post-title-taken");

    let user = city.id("li.si").await;
    let give = async |post: &str, user: i64, times| {
        city.identity.give_post(post, user, times, &cli(), T0).await
    };
    assert_eq!(code(give("nobody", user, (None, None)).await), "not-found");
    assert_eq!(code(give("watch", 999, (None, None)).await), "post-holder");
    assert_eq!(
        code(give("watch", user, (None, Some(T0))).await),
        "post-time"
    );
    let holder = give("watch", user, (None, None)).await.unwrap().id;
    assert_eq!(code(give("watch", user, (None, None)).await), "post-held");
    let second = city.post("water", "二岗", "field").await;
    give(&second, user, (None, None)).await.unwrap();
    let third = city.post("water", "三岗", "field").await;
    assert_eq!(code(give(&third, user, (None, None)).await), "posts-many");
    city.identity.end_post(holder, &cli(), T0).await.unwrap();
    assert_eq!(
        code(city.identity.end_post(holder, &cli(), T0).await),
        "post-over"
    );
    assert_eq!(
        code(city.identity.end_post(999, &cli(), T0).await),
        "not-found"
    );
    let held = city.identity.posts_held_by(user, T0).await.unwrap();
    assert_eq!(held.len(), 1);
    // Several hold one post.
    give(&third, city.id("wang.wu").await, (None, None))
        .await
        .unwrap();
    give(&third, user, (None, None)).await.unwrap();
}

#[tokio::test]
async fn people_are_found_by_name_post_and_organisation_and_numbers_stay_out_of_lists() {
    let city = city().await;
    let post = city.post("roads", "值守", "duty").await;
    city.give(&post, "li.si").await;
    let user = city.id("li.si").await;
    let phone = |phone: &str| PersonChange {
        phone: Some(Some(phone.to_owned())),
        ..PersonChange::default()
    };
    let bad = city
        .identity
        .change_user(user, &phone("12"), &cli(), T0)
        .await;
    assert_eq!(code(bad), "phone");
    let changed = city
        .identity
        .change_user(user, &phone("138 1234 5678"), &cli(), T0)
        .await
        .unwrap();
    assert_eq!(changed.phone.as_deref(), Some("13812345678"));
    let shown = serde_json::to_string(&changed).unwrap();
    assert!(!shown.contains("138"), "{shown}");
    let page = PageRequest::default();
    let mut read = city.records.read().await.unwrap();
    let newest = audit::list(&mut read, &page).await.unwrap().items.remove(0);
    drop(read);
    assert_eq!(newest.detail["phone"], true);
    assert!(!newest.detail.to_string().contains("138"));

    let names = async |filter: PeopleFilter| {
        let mut read = city.records.read().await.unwrap();
        let page = PageRequest::default();
        let found = users::search(&mut read, &filter, T0, &page).await.unwrap();
        let names = found.items.into_iter().map(|u| u.username);
        names.collect::<Vec<_>>()
    };
    let of = |id: &str| PeopleFilter {
        organisation_id: Some(id.to_owned()),
        ..PeopleFilter::default()
    };
    assert_eq!(names(of("water")).await, ["li.si", "wang.wu"]);
    assert_eq!(names(of("roads")).await, ["li.si"], "by the post");
    let text = PeopleFilter {
        text: Some("WANG".to_owned()),
        ..PeopleFilter::default()
    };
    assert_eq!(names(text).await, ["wang.wu"]);
    let sign = PeopleFilter {
        text: Some("%".to_owned()),
        ..PeopleFilter::default()
    };
    assert_eq!(names(sign).await, [""; 0], "a sign of LIKE is a letter");
    let by_role = PeopleFilter {
        role: Some("duty".to_owned()),
        ..PeopleFilter::default()
    };
    assert_eq!(names(by_role).await, ["li.si"]);
}

async fn plan(city: &City, asked: &HandOver) -> Result<identity::HandOverPlan, Failure> {
    let mut read = city.records.read().await.unwrap();
    city.identity.plan_hand_over(&mut read, asked, T0).await
}

#[tokio::test]
async fn a_hand_over_is_refused_with_a_reason() {
    let city = city().await;
    let (admin, li, wang) = (
        city.id("admin").await,
        city.id("li.si").await,
        city.id("wang.wu").await,
    );
    let asked = |from: i64, to: Option<i64>| HandOver {
        from,
        to,
        ..HandOver::default()
    };
    assert_eq!(code(plan(&city, &asked(999, None)).await), "not-found");
    assert_eq!(
        code(plan(&city, &asked(admin, None)).await),
        "handover-administrator"
    );
    assert!(
        plan(&city, &asked(li, None))
            .await
            .unwrap()
            .cases
            .is_empty()
    );
    city.case("TM-1", li).await;
    assert_eq!(
        code(plan(&city, &asked(li, None)).await),
        "successor-missing"
    );
    assert_eq!(
        code(plan(&city, &asked(li, Some(li))).await),
        "successor-same"
    );
    assert_eq!(code(plan(&city, &asked(li, Some(999))).await), "not-found");
    let other = city.person("zhao", Role::Field, Some("roads")).await.id;
    let mut across = asked(li, Some(other));
    assert_eq!(code(plan(&city, &across).await), "successor-elsewhere");
    across.across = true;
    assert_eq!(plan(&city, &across).await.unwrap().cases.len(), 1);
    // Who holds a post of the organisation is no stranger there.
    let post = city.post("water", "兼管", "field").await;
    city.give(&post, "zhao").await;
    across.across = false;
    assert!(plan(&city, &across).await.is_ok());
    let viewer = city.person("looks", Role::Viewer, Some("water")).await.id;
    assert_eq!(
        code(plan(&city, &asked(li, Some(viewer))).await),
        "successor-cannot"
    );
    let mut gives = asked(li, Some(viewer));
    gives.give_posts = vec![post.clone()];
    assert_eq!(code(plan(&city, &gives).await), "post-not-held");
    city.give(&post, "li.si").await;
    assert!(
        plan(&city, &gives).await.is_ok(),
        "the post makes them able"
    );
    let close = PersonChange {
        disabled: Some(true),
        ..PersonChange::default()
    };
    city.identity
        .change_user(wang, &close, &cli(), T0)
        .await
        .unwrap();
    assert_eq!(
        code(plan(&city, &asked(li, Some(wang))).await),
        "successor-closed"
    );
    let moves = |to: &str| HandOver {
        move_to: Some(to.to_owned()),
        across: true,
        ..asked(li, Some(other))
    };
    assert_eq!(
        code(plan(&city, &moves("nobody")).await),
        "unknown-organisation"
    );
    assert_eq!(code(plan(&city, &moves("water")).await), "handover-stays");
    let mut long = asked(li, Some(other));
    long.note = "长".repeat(2_001);
    assert_eq!(code(plan(&city, &long).await), "handover-note");
    assert_eq!(city.acts("user.handover").await, [""; 0]);
}

#[tokio::test]
async fn whoever_leaves_is_signed_out_and_their_posts_pass_on_or_end() {
    let city = city().await;
    let (li, wang) = (city.id("li.si").await, city.id("wang.wu").await);
    let passes = city.post("water", "河长办值守", "duty").await;
    let ends = city.post("roads", "借调", "field").await;
    city.give(&passes, "li.si").await;
    city.give(&ends, "li.si").await;
    let secret = city.sign_in("li.si", T0).await;
    let asked = HandOver {
        from: li,
        to: Some(wang),
        give_posts: vec![passes.clone()],
        note: " 退休 ".to_owned(),
        ..HandOver::default()
    };
    let looked = plan(&city, &asked).await.unwrap();
    assert_eq!((looked.sessions, looked.posts.len()), (1, 2));
    let mut write = city.records.write().await.unwrap();
    let planned = city.identity.plan_hand_over(&mut write, &asked, T0).await;
    let planned = planned.unwrap();
    let done = city
        .identity
        .hand_over(&mut write, (&asked, &planned), &[], (&cli(), None), T0)
        .await
        .unwrap();
    write.commit().await.unwrap();
    assert_eq!((done.to_id, done.note.as_str()), (Some(wang), "退休"));
    assert_eq!(done.report["posts_given"], serde_json::json!([passes]));
    let gone = city.identity.session_principal(&secret, T0).await.unwrap();
    assert!(gone.is_none());
    let user = city.identity.user_by_username("li.si").await.unwrap();
    assert!(user.disabled);
    assert_eq!(city.identity.posts_held_by(li, T0).await.unwrap(), []);
    let held = city.identity.posts_held_by(wang, T0).await.unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].post_id, passes);
    assert_eq!(city.acts("user.handover").await, [format!("user:{li}")]);
    assert_eq!(city.acts("post.end").await.len(), 2);
    let page = PageRequest::default();
    let kept = city.identity.list_hand_overs(&page).await.unwrap();
    assert_eq!(kept.items, [done]);

    // Who moves keeps the account.
    let asked = HandOver {
        from: wang,
        move_to: Some("roads".to_owned()),
        move_role: Some(Role::Operator),
        ..HandOver::default()
    };
    let mut write = city.records.write().await.unwrap();
    let planned = city.identity.plan_hand_over(&mut write, &asked, T0).await;
    let planned = planned.unwrap();
    city.identity
        .hand_over(&mut write, (&asked, &planned), &[], (&cli(), None), T0)
        .await
        .unwrap();
    write.commit().await.unwrap();
    let moved = city.identity.user_by_username("wang.wu").await.unwrap();
    assert!(!moved.disabled);
    assert_eq!(
        (moved.organisation_id.as_deref(), moved.role.as_str()),
        (Some("roads"), "operator")
    );
    assert_eq!(city.identity.posts_held_by(wang, T0).await.unwrap(), []);
}

fn sheet(name: &str, names: &[&str], rows: &[&[&str]]) -> Sheet {
    let texts = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    Sheet {
        name: name.to_owned(),
        names: texts(names),
        rows: (2..).zip(rows.iter().map(|row| texts(row))).collect(),
    }
}

fn good() -> Vec<Sheet> {
    vec![
        // The one above stands below: the order of lines does not matter.
        sheet(
            "单位",
            &[
                "单位编号",
                "单位名称",
                "类别",
                "上级单位",
                "统一社会信用代码",
                "区划代码",
                "备注",
            ],
            &[
                &[
                    "pump-2",
                    "二站",
                    "运营单位",
                    "泵站公司",
                    "",
                    "429006001",
                    "x",
                ],
                &[
                    "",
                    "泵站公司",
                    "企业",
                    "水利局",
                    "91330100799655058B",
                    "",
                    "",
                ],
                &["water", "水利局", "", "", "", "429006", ""],
            ],
        ),
        sheet(
            "岗位",
            &["岗位编号", "单位", "岗位名称", "职责", "角色", "区划代码"],
            &[
                &["", "二站", "值守", "看护泵站", "现场处置人员", "429006001"],
                &["chief", "泵站公司", "站长", "", "operator", ""],
            ],
        ),
        sheet(
            "人员",
            &["登录名*", "姓名 name", "角色", "单位", "手机", "岗位"],
            &[
                &[
                    "Zhao.Liu",
                    "赵六",
                    "现场处置人员",
                    "二站",
                    "138 1234 5678",
                    "值守、chief",
                ],
                &["li.si", "李四", "field", "水利局", "", "二站/值守"],
                &["admin", "姓名 admin", "系统管理员", "", "", ""],
            ],
        ),
    ]
}

#[tokio::test]
async fn a_roster_is_looked_at_then_written_whole_and_twice_changes_nothing() {
    let city = city().await;
    let report = city.identity.check_roster(&good(), T0).await.unwrap();
    assert_eq!(report.mistakes, []);
    assert_eq!(report.not_read, ["单位：备注"]);
    assert_eq!(city.acts("organisation.roster").await, [""; 0]);
    assert_eq!(city.identity.organisations().await.unwrap().len(), 2);
    let counts = |report: &identity::roster::Report| {
        let of =
            |kind| [Doing::Add, Doing::Change, Doing::Same].map(|doing| report.count(kind, doing));
        Kind::ALL.map(of)
    };
    assert_eq!(counts(&report), [[2, 1, 0], [2, 0, 0], [1, 1, 1]]);
    assert_eq!(report.holders, 3);

    let source = ("名册.xlsx", "00");
    let applied = city
        .identity
        .apply_roster(&good(), source, &cli(), T0)
        .await;
    let (applied, made) = applied.unwrap();
    assert_eq!(applied, report);
    assert_eq!((made.len(), made[0].username.as_str()), (1, "zhao.liu"));
    let signed = city
        .identity
        .sign_in("zhao.liu", &made[0].password, "10.0.0.1", T0);
    let principal = signed.await.unwrap().principal;
    assert!(principal.may(Permission::CaseOpen), "as chief");
    let ids: Vec<_> = principal.posts.iter().map(|p| p.post_id.as_str()).collect();
    assert_eq!(ids, ["chief", "pump-2-1"]);
    let all = city.identity.organisations().await.unwrap();
    let company = all.iter().find(|o| o.name_zh == "泵站公司").unwrap();
    assert_eq!(company.id, "91330100799655058b", "by its credit code");
    let station = all.iter().find(|o| o.id == "pump-2").unwrap();
    assert_eq!(station.parent.as_deref(), Some(company.id.as_str()));
    assert_eq!(city.acts("organisation.add").await.len(), 2);
    assert_eq!(city.acts("post.give").await.len(), 3);
    assert_eq!(city.acts("organisation.roster").await, ["organisations"]);

    let again = city.identity.check_roster(&good(), T0).await.unwrap();
    assert_eq!(counts(&again), [[0, 0, 3], [0, 0, 2], [0, 0, 3]]);
    assert_eq!(again.holders, 0);
    // What is exported is what is read.
    let sheets = city.identity.export_roster(&cli(), T0).await.unwrap();
    let sheets: Vec<Sheet> = sheets
        .into_iter()
        .map(|s| Sheet {
            name: s.name,
            names: s.names,
            rows: (2..).zip(s.rows).collect(),
        })
        .collect();
    let round = city.identity.check_roster(&sheets, T0).await.unwrap();
    assert_eq!(round.mistakes, []);
    assert_eq!(counts(&round), [[0, 0, 4], [0, 0, 2], [0, 0, 4]]);
    assert_eq!(city.acts("organisation.export").await.len(), 1);
}

fn place(mistake: &Mistake) -> String {
    format!(
        "{} {} {} {}",
        mistake.sheet,
        mistake.line.map_or("-".to_owned(), |n| n.to_string()),
        mistake.column.as_deref().unwrap_or("-"),
        mistake.told.code
    )
}

#[tokio::test]
async fn every_mistake_of_a_roster_is_told_by_sheet_line_and_column_and_nothing_is_written() {
    let city = city().await;
    let sheets = [
        sheet(
            "单位",
            &["编号", "名称", "类别", "上级单位", "信用代码", "区划代码"],
            &[
                &["Bad Id", "甲", "部门", "", "", ""],
                &["b", "", "俱乐部", "", "91330100799655058A", "4290"],
                &["c", "丙", "", "没有的单位", "", ""],
                &["d", "丁", "", "e", "", ""],
                &["e", "戊", "", "d", "", ""],
                &["f", "水利局", "", "", "", ""],
                &["c", "丙二", "", "", "", ""],
                &["water", "水务局", "", "", "", ""],
                &["", "没有编号", "", "", "", ""],
            ],
        ),
        sheet(
            "岗位",
            &["单位", "岗位名称", "角色"],
            &[
                &["水利局", "值守", "admin"],
                &["水利局", "值守", "duty"],
                &["没有", "值守", "duty"],
                &["水利局", "值守", "king"],
            ],
        ),
        sheet(
            "人员",
            &["登录名", "姓名", "角色", "单位", "手机", "岗位"],
            &[
                &["x", "赵六", "field", "", "", ""],
                &["zhao", "", "field", "没有", "12", "没有的岗位"],
                &["qian", "钱七", "系统管理员", "", "", ""],
                &["sun", "孙八", "", "", "", ""],
                &["sun", "孙八", "field", "", "", ""],
                &["admin", "管理", "field", "", "", ""],
            ],
        ),
        sheet("说明", &["随便"], &[&["x"]]),
    ];
    let applied = city
        .identity
        .apply_roster(&sheets, ("a", "0"), &cli(), T0)
        .await;
    let (report, made) = applied.unwrap();
    assert!(made.is_empty());
    let places: Vec<String> = report.mistakes.iter().map(place).collect();
    let expected = [
        "单位 2 编号 organisation-id",
        "单位 3 名称 name",
        "单位 3 类别 organisation-kind",
        "单位 3 信用代码 credit-code",
        "单位 3 区划代码 division-code",
        "单位 4 上级单位 organisation-parent",
        "单位 5 上级单位 organisation-parent",
        "单位 6 上级单位 organisation-parent",
        "单位 7 名称 organisation-name-taken",
        "单位 8 编号 roster-twice",
        "单位 9 名称 organisation-of-profile",
        "单位 10 编号 organisation-id",
        "岗位 2 角色 post-role",
        "岗位 4 单位 unknown-organisation",
        "岗位 5 角色 unknown-role",
        "岗位 5 岗位名称 post-title-taken",
        "人员 2 登录名 username",
        "人员 3 姓名 name",
        "人员 3 单位 unknown-organisation",
        "人员 3 手机 phone",
        "人员 3 岗位 unknown-post",
        "人员 4 角色 post-role",
        "人员 6 登录名 roster-twice",
        "人员 7 角色 post-role",
    ];
    assert_eq!(places, expected);
    assert_eq!(report.mistakes_count, expected.len());
    assert!(report.not_read.contains(&"说明".to_owned()));
    let said = format!("{:?}", report.mistakes);
    assert!(!said.contains("Some(\"12\")"), "a number is not repeated");
    assert_eq!(city.identity.organisations().await.unwrap().len(), 2);
    assert_eq!(city.acts("organisation.roster").await, [""; 0]);
}

#[tokio::test]
async fn a_roster_without_its_columns_or_too_large_is_refused() {
    let city = city_with(Options {
        roster: Limits {
            rows_max: 3,
            mistakes_max: 1,
            new_people_max: 1,
        },
        ..quick()
    })
    .await;
    let codes = async |sheets: &[Sheet]| {
        let report = city.identity.check_roster(sheets, T0).await.unwrap();
        let codes = report.mistakes.iter().map(|m| m.told.code.clone());
        (codes.collect::<Vec<_>>(), report.mistakes_count)
    };
    let only = |code: &str, count| (vec![code.to_owned()], count);
    assert_eq!(codes(&[]).await, only("roster-sheets", 1));
    let none = sheet("说明", &["a"], &[]);
    assert_eq!(codes(&[none]).await, only("roster-sheets", 1));
    let missing = sheet("人员", &["姓名"], &[&["赵六"]]);
    assert_eq!(codes(&[missing]).await, only("roster-column", 2));
    let twice = sheet("人员", &["登录名", "username", "姓名", "角色"], &[]);
    assert_eq!(codes(&[twice]).await, only("roster-column", 1));
    let row: &[&str] = &["zhao", "赵六", "field"];
    let names = ["登录名", "姓名", "角色"];
    let many = sheet("人员", &names, &[row; 4]);
    assert_eq!(codes(&[many]).await, only("roster-rows", 1));
    let two: [&[&str]; 2] = [row, &["qian", "钱七", "field"]];
    let people = sheet("人员", &names, &two);
    assert_eq!(codes(&[people]).await, only("roster-people", 1));
}
