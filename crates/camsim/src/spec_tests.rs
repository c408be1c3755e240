//! What camera specs mean, and what is said of wrong ones.

use super::*;

#[test]
fn an_id_is_enough() {
    let spec = camera("id=cho").unwrap();
    assert_eq!(spec.id, "cho");
    assert_eq!(spec.main.source, Source::Scene(0));
    assert_eq!(spec.main.size, Size { width: 1280, height: 720 });
    assert_eq!((spec.main.fps, spec.main.gop, spec.main.bframes, spec.main.open_gop), (15, 30, 0, false));
    let sub = spec.sub.unwrap();
    assert_eq!((sub.size.to_string().as_str(), sub.fps, sub.gop), ("640x360", 10, 20));
    assert_eq!((spec.audio, spec.login, spec.join, spec.phase), (None, None, Join::Force, None));
}

#[test]
fn every_key_is_understood() {
    let spec = camera(
        "id=x-1,source=/v/a b.mp4,codec=h265,sub-codec=h264,size=1920x1080,sub-size=320x240,fps=25,sub-fps=5,gop=20s,bframes=3,\
         open-gop=yes,bitrate=4M,sub-bitrate=128k,audio=aac,user=admin,password=p=w,join=force,phase=20ms",
    )
    .unwrap();
    assert_eq!(spec.main.source, Source::File("/v/a b.mp4".into()));
    assert_eq!((spec.main.codec, spec.main.gop, spec.main.bframes, spec.main.bitrate), (Codec::H265, 500, 3, 4_000_000));
    let sub = spec.sub.unwrap();
    assert_eq!((sub.codec, sub.gop, sub.bframes, sub.open_gop, sub.bitrate), (Codec::H264, 100, 3, true, 128_000));
    assert_eq!((spec.audio, spec.join, spec.phase), (Some(Audio::Aac), Join::Force, Some(20)));
    let login = spec.login.unwrap();
    assert_eq!((login.user.as_str(), login.password.as_str()), ("admin", "p=w"));
    assert!(!format!("{login:?}").contains("p=w"));
}

#[test]
fn variants_and_numbered_scenes() {
    assert_eq!(camera("id=a,variant=3").unwrap().main.source, Source::Scene(2));
    assert_eq!(camera("id=a,source=scene2").unwrap().main.source, Source::Scene(1));
    assert_eq!(camera("id=a,source=scene,variant=4").unwrap().main.source, Source::Scene(3));
    assert_eq!(camera("id=a,source=street:morning,seed=7").unwrap().main.source, Source::Street("morning".into(), 7));
    assert_eq!(camera("id=a,source=street:/v/own.toml").unwrap().main.source, Source::Street("/v/own.toml".into(), 1));
    assert!(camera("id=a,source=street:").is_err());
    assert_eq!(camera("id=a,sub=no").unwrap().sub, None);
    assert_eq!(camera("id=a,open-gop=yes").unwrap().join, Join::Gop);
}

#[test]
fn a_village_has_names_and_shares_profiles() {
    let village = village(6, "codec=h265", 2).unwrap();
    let ids: Vec<&str> = village.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(ids, ["cong-lang", "cho", "truong-hoc", "nha-van-hoa", "cam-05", "cam-06"]);
    assert_eq!(village[0].main, village[2].main);
    assert_ne!(village[0].main, village[1].main);
    together(&village).unwrap();
}

#[test]
fn mistakes_are_named() {
    for (spec, said) in [
        ("source=scene", "camera spec `source=scene`: id=… is missing"),
        ("id=a,fast", "camera spec `id=a,fast`: `fast` is not key=value"),
        ("id=a,codec=vp9", "camera spec `id=a,codec=vp9`: codec=vp9: h264 or h265"),
        ("id=a,id=b", "camera spec `id=a,id=b`: `id` is given twice"),
        ("id=A", "camera spec `id=A`: id=A: 1 to 64 of a-z, 0-9 and -"),
        ("id=a,fps=0", "camera spec `id=a,fps=0`: fps=0: 1 to 60"),
        ("id=a,user=u", "camera spec `id=a,user=u`: user= and password= go together"),
        (
            "id=a,source=scene9",
            "camera spec `id=a,source=scene9`: source=scene9: scene, scene2 … scene4, street:SCENARIO, or a file's path",
        ),
    ] {
        assert_eq!(camera(spec).unwrap_err().to_string(), said);
    }
    for spec in ["id=a,size=641x360", "id=a,size=10x10", "id=a,size=big", "id=a,gop=2", "id=a,gop=0s", "id=a,bitrate=1", "id=a,phase=67ms"]
    {
        assert!(matches!(camera(spec), Err(SpecError::Value { .. })), "{spec}");
    }
    assert!(matches!(camera("id=a,open-gop=yes,bframes=0"), Err(SpecError::Missing { .. })));
    assert!(matches!(camera("id=a,colour=red"), Err(SpecError::UnknownKey { .. })));
    assert!(village(2, "id=a", 1).is_err());
}

#[test]
fn a_password_never_comes_back_in_an_error() {
    let error = camera("id=a,password=hunter2,user=").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn cameras_that_cannot_live_together() {
    let two = |a: &str, b: &str| together(&[camera(a).unwrap(), camera(b).unwrap()]);
    assert!(two("id=a", "id=a").is_err());
    assert!(two("id=a,user=u,password=1", "id=b,user=u,password=2").is_err());
    two("id=a,user=u,password=1", "id=b,user=u,password=1").unwrap();
    two("id=a,user=u,password=1", "id=b,user=v,password=2").unwrap();
}
