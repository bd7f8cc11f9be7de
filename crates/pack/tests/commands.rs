//! What entities can be told, broken in one place at a time: each mistake is told with file and line.

use crate::mistakes::{FILES, problems};

#[test]
fn each_mistake_of_a_command_is_told_with_its_line() {
    let well = FILES
        .iter()
        .find(|(p, _)| *p == "entities/Well.toml")
        .unwrap()
        .1;
    // Fifteen lines come before.
    let good = "[commands.set-depth]\ntitle_zh = \"深\"\ntitle_en = \"Depth\"\nact = \"gates\"\nvalue = \"number\"\nunit = \"MTR\"\nmin = 0\n\
        max = \"depth\"\nstep = 0.01\nchannels = 3\nexpires_seconds = 60\nfresh_seconds = { depth = 60 }\n\
        [[commands.set-depth.interlocks]]\nrefuse_when = \"value > depth\"\napplies_when = \"name == 'a'\"\ntext_zh = \"不行\"\ntext_en = \"No\"\n";
    let with = |text: &str| {
        let found = problems(&[("entities/Well.toml", Some(format!("{well}{text}")))]);
        let told = found.iter().map(|p| format!("{} {}", p.code, p.place));
        told.collect::<Vec<_>>()
    };
    assert_eq!(with(good), [""; 0]);
    for (from, to, told) in [
        ("set-depth", "Set_depth", "command-name 16"),
        ("\"Depth\"", "\"\"", "title-missing 18"),
        ("\"number\"\nunit", "\"boolean\"\nunit", "command-range 20"),
        ("min = 0\n", "", "command-range 20"),
        ("\"gates\"", "\"valves\"", "command-act 19"),
        ("\"gates\"", "\"doors\"", "pack-toml 19"),
        ("\"MTR\"", "\"m\"", "command-attribute 23"),
        ("\"depth\"\nstep", "\"name\"\nstep", "command-attribute 23"),
        ("0.01", "0.0", "command-range 24"),
        ("channels = 3", "channels = 0", "command-channel 25"),
        (
            "channels = 3",
            "channels = 3\ndevice = \"name\"",
            "command-device 26",
        ),
        ("= 60\nfresh", "= 0\nfresh", "command-expires 26"),
        (
            "{ depth = 60 }",
            "{ name = 60, place = 1 }",
            "command-fresh 27",
        ),
        ("{ depth = 60 }", "{ depth = 0 }", "command-fresh 27"),
        ("value > depth", "value > height", "command-interlock 29"),
        ("value > depth", "value > name", "command-interlock 29"),
        ("value > depth", "value >", "command-interlock 29"),
        ("name == 'a'", "name", "command-interlock 30"),
        ("\"不行\"", "\" \"", "empty 31"),
        (
            "step = 0.01",
            "words = [{ value = \"a\", title_zh = \"甲\", title_en = \"A\", means = 1.0 }]",
            "command-words 24",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let found = with(&good.replace(from, to));
        let (code, line) = told.split_once(' ').unwrap();
        let wanted = format!("{code} entities/Well.toml:{line}");
        assert!(found.contains(&wanted), "{to}: {found:?}, not {wanted}");
    }
    let own = format!(
        "[attributes.value]\nvalue = \"number\"\ntitle_zh = \"值\"\ntitle_en = \"Value\"\n{good}"
    );
    assert_eq!(with(&own), ["command-value-name entities/Well.toml:16"]);
}
