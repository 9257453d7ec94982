//! The life of a container: created, started, spoken to, stopped, removed.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sampan_container::{
    ContainerState, Error, ExecSpec, Mount, MountKind, Network, Resources, Signal,
};

use crate::site::{Site, read, write};

#[test]
fn a_process_speaks_and_ends() {
    let site = Site::new();
    let (output, errors, exit) =
        site.run(&site.spec(&["sh", "-c", "echo out; echo err >&2; exit 7"]));
    assert_eq!((output.as_str(), errors.as_str()), ("out\n", "err\n"));
    assert_eq!((exit.code, exit.signal, exit.oom_killed), (7, None, false));
    assert!(site.runtime.list().unwrap().is_empty());
}

#[test]
fn folders_that_the_image_lacks_are_made() {
    let site = Site::new();
    let script = "busybox stat -c '%F %u %a' /var/lib/app /var/lib/app/below /bin/sh; busybox touch /var/lib/app/x";
    let mut spec = site.spec(&["/bin/busybox", "sh", "-c", script]);
    let folders = ["/var/lib/app/below", "/bin/sh", "/tmp", "/proc/x"];
    spec.rootfs.directories = folders.map(PathBuf::from).to_vec();
    let (output, errors, exit) = site.run(&spec);
    assert_eq!(exit.code, 0, "{errors}");
    assert!(
        output.starts_with("directory 0 755\ndirectory 0 755\n"),
        "{output}"
    );
    assert!(!site.root().join("var/lib").exists());
}

#[test]
fn a_signal_gives_128_and_its_number() {
    let site = Site::new();
    let id = site.runtime.create(&site.spec(&["sleep", "100"])).unwrap();
    assert_eq!(
        site.runtime.status(&id).unwrap().state,
        ContainerState::Created
    );
    site.runtime.start(&id).unwrap();
    assert!(matches!(
        site.runtime.status(&id).unwrap().state,
        ContainerState::Running { .. }
    ));
    assert!(matches!(
        site.runtime.remove(&id, false),
        Err(Error::Running(_))
    ));
    assert!(matches!(site.runtime.start(&id), Err(Error::Create(_))));
    site.runtime.kill(&id, Signal::KILL).unwrap();
    let exit = site.runtime.wait_blocking(&id).unwrap();
    assert_eq!((exit.code, exit.signal), (137, Some(9)));
    assert_eq!(site.runtime.wait_blocking(&id).unwrap(), exit);
    assert!(matches!(
        site.runtime.kill(&id, Signal::TERM),
        Err(Error::NotRunning(_))
    ));
}

#[test]
fn stopping_is_polite_first() {
    let site = Site::new();
    let polite = site.spec(&[
        "sh",
        "-c",
        "trap 'exit 3' TERM; echo ready; while :; do sleep 1; done",
    ]);
    let id = site.runtime.create(&polite).unwrap();
    let attachment = site.runtime.attach(&id).unwrap();
    site.runtime.start(&id).unwrap();
    let mut ready = [0; 6];
    std::fs::File::from(attachment.stdout.unwrap())
        .read_exact(&mut ready)
        .unwrap();
    assert_eq!(
        site.runtime
            .stop(&id, Duration::from_secs(20))
            .unwrap()
            .code,
        3
    );

    let deaf = site.spec(&["sh", "-c", "trap '' TERM; while :; do sleep 1; done"]);
    let id = site.runtime.create(&deaf).unwrap();
    site.runtime.start(&id).unwrap();
    assert_eq!(
        site.runtime
            .stop(&id, Duration::from_millis(200))
            .unwrap()
            .code,
        137
    );
}

#[test]
fn input_reaches_the_process_and_its_end_too() {
    let site = Site::new();
    let mut spec = site.spec(&["cat"]);
    spec.process.stdin = true;
    spec.process.stdin_once = true;
    let id = site.runtime.create(&spec).unwrap();
    let mut attachment = site.runtime.attach(&id).unwrap();
    site.runtime.start(&id).unwrap();
    // More than any pipe holds, so that every buffer on the way fills up.
    let text = "0123456789abcdef\n".repeat(40_000);
    let (input, sent) = (attachment.stdin.take().unwrap(), text.clone());
    let writer = std::thread::spawn(move || write(input, &sent));
    assert_eq!(read(attachment.stdout.take().unwrap()), text);
    writer.join().unwrap();
    assert_eq!(attachment.wait_blocking().unwrap().code, 0);
}

#[test]
fn the_description_is_what_the_process_sees() {
    let site = Site::new();
    let shared = site.folder.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::write(shared.join("file"), "content").unwrap();
    let mut spec = site.spec(&[
        "sh",
        "-c",
        "id; pwd; echo $GREETING; cat /etc/hostname; cat /data/file; echo x >/data/file; echo y >/ro/file; \
         echo $HOME; ls /proc/self/fd; echo z >/scratch/z && echo scratch",
    ]);
    spec.hostname = Some("boat".to_owned());
    spec.process.env = vec!["GREETING=hello".to_owned()];
    spec.process.cwd = "/made/for/me".to_owned();
    spec.process.user = sampan_container::user::resolve(&[site.root()], "anna").unwrap();
    let bind = |target: &str, read_only| Mount {
        source: shared.clone(),
        target: PathBuf::from(target),
        read_only,
        kind: MountKind::Bind,
    };
    spec.mounts = vec![
        bind("/data", false),
        bind("/ro", true),
        Mount {
            source: PathBuf::new(),
            target: PathBuf::from("/scratch"),
            read_only: false,
            kind: MountKind::Tmpfs {
                size_bytes: Some(1 << 20),
            },
        },
    ];
    let (output, errors, exit) = site.run(&spec);
    assert_eq!(
        output,
        "uid=1000(anna) gid=100(users) groups=10(wheel)\n/made/for/me\nhello\nboat\ncontent\
         /\n0\n1\n2\n3\nscratch\n"
    );
    assert!(errors.contains("/data/file: Permission denied"), "{errors}");
    assert!(
        errors.contains("/ro/file: Read-only file system"),
        "{errors}"
    );
    assert_eq!(exit.code, 0);
}

#[test]
fn what_cannot_be_executed_is_said_at_once() {
    let site = Site::new();
    let missing = site.runtime.create(&site.spec(&["nonsense"]));
    assert!(
        matches!(&missing, Err(Error::CommandNotFound(name)) if name == "nonsense"),
        "{missing:?}"
    );
    let refused = site.runtime.create(&site.spec(&["/etc/passwd"]));
    assert!(
        matches!(&refused, Err(Error::CommandNotExecutable { .. })),
        "{refused:?}"
    );
    assert!(site.runtime.list().unwrap().is_empty());
    let left = std::fs::read_dir(site.runtime.data().join("containers"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
}

#[test]
fn commands_run_beside_the_first_process() {
    let site = Site::new();
    let mut spec = site.spec(&["sleep", "100"]);
    spec.process.env = vec!["ONE=1".to_owned()];
    let id = site.runtime.create(&spec).unwrap();
    let command = |args: &[&str]| ExecSpec {
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        ..ExecSpec::default()
    };
    let early = site.runtime.exec(&id, &command(&["true"]));
    assert!(matches!(early, Err(Error::NotRunning(_))), "{early:?}");
    site.runtime.start(&id).unwrap();

    let mut spec = command(&["sh", "-c", "echo $ONE $TWO; cat; echo bad >&2; exit 4"]);
    spec.env = vec!["TWO=2".to_owned()];
    spec.stdin = true;
    let mut exec = site.runtime.exec(&id, &spec).unwrap();
    write(exec.stdin.take().unwrap(), "input\n");
    assert_eq!(read(exec.stdout.take().unwrap()), "1 2\ninput\n");
    assert_eq!(read(exec.stderr.take().unwrap()), "bad\n");
    assert_eq!(exec.wait_blocking().unwrap().code, 4);

    let missing = site.runtime.exec(&id, &command(&["nonsense"]));
    assert!(
        matches!(missing, Err(Error::CommandNotFound(_))),
        "{missing:?}"
    );

    let mut killed = site.runtime.exec(&id, &command(&["sleep", "100"])).unwrap();
    killed.kill(Signal::TERM).unwrap();
    assert_eq!(killed.wait_blocking().unwrap().code, 143);

    let mut terminal = command(&["sh", "-c", "tty; exit 5"]);
    terminal.terminal = true;
    let mut exec = site.runtime.exec(&id, &terminal).unwrap();
    exec.resize(24, 80).unwrap();
    assert_eq!(exec.wait_blocking().unwrap().code, 5);
    let mut bytes = [0; 64];
    let length = std::fs::File::from(exec.terminal.take().unwrap())
        .read(&mut bytes)
        .unwrap();
    assert_eq!(&bytes[..length], b"/dev/pts/0\r\n");

    assert_eq!(site.runtime.status(&id).unwrap().name, None);
    assert!(site.runtime.stats(&id).unwrap().memory_bytes > 0);
}

#[test]
fn waiting_needs_no_thread() {
    let site = Site::new();
    let id = site.runtime.create(&site.spec(&["sleep", "0.2"])).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let exit = runtime.block_on(async {
        site.runtime.start(&id).unwrap();
        site.runtime.wait(&id).await.unwrap()
    });
    assert_eq!(exit.code, 0);
}

#[test]
fn a_terminal_has_a_size_and_one_output() {
    let site = Site::new();
    let mut spec = site.spec(&["sh", "-c", "tty; read line; echo got $line; echo err >&2"]);
    spec.process.terminal = true;
    spec.process.stdin = true;
    let id = site.runtime.create(&spec).unwrap();
    let mut attachment = site.runtime.attach(&id).unwrap();
    attachment.resize(40, 100).unwrap();
    site.runtime.start(&id).unwrap();
    let mut terminal = std::fs::File::from(attachment.terminal.take().unwrap());
    terminal.write_all(b"words\n").unwrap();
    let mut text = String::new();
    terminal.read_to_string(&mut text).unwrap();
    assert!(text.contains("/dev/pts/0\r\n"), "{text}");
    assert!(text.contains("got words\r\nerr\r\n"), "{text}");
    assert_eq!(attachment.wait_blocking().unwrap().code, 0);
}

#[test]
fn names_are_unique_and_found() {
    let site = Site::new();
    let mut spec = site.spec(&["true"]);
    spec.name = Some("web".to_owned());
    let id = site.runtime.create(&spec).unwrap();
    assert!(matches!(
        site.runtime.create(&spec),
        Err(Error::NameTaken { .. })
    ));
    assert_eq!(site.runtime.find("web").unwrap(), id);
    assert_eq!(site.runtime.find(id.short()).unwrap(), id);
    assert!(matches!(
        site.runtime.find("nobody"),
        Err(Error::NoContainer(_))
    ));
    site.runtime.remove(&id, false).unwrap();
    assert!(matches!(
        site.runtime.find("web"),
        Err(Error::NoContainer(_))
    ));
    let again = site.runtime.create(&spec).unwrap();
    assert_ne!(again, id);
}

#[test]
fn a_killed_supervisor_takes_its_container_along_and_is_cleared_up_after() {
    let site = Site::new();
    let id = site.runtime.create(&site.spec(&["sleep", "100"])).unwrap();
    site.runtime.start(&id).unwrap();
    let ContainerState::Running { pid } = site.runtime.status(&id).unwrap().state else {
        panic!("not running");
    };
    let supervisor = parent_of(pid);
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(supervisor),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
    let exit = site.runtime.wait_blocking(&id).unwrap();
    assert_eq!(exit.code, 137);
    assert!(exit.reason.is_some());
    assert!(
        !Path::new("/sys/fs/cgroup/pids/sampan")
            .join(id.as_str())
            .exists()
    );
    site.runtime.remove(&id, false).unwrap();
}

fn parent_of(pid: i32) -> i32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))
        .unwrap();
    line.trim().parse().unwrap()
}

#[test]
fn too_much_memory_is_named() {
    let site = Site::new();
    let mut spec = site.spec(&["sh", "-c", "x=a; while :; do x=$x$x; done"]);
    spec.resources = Resources {
        memory_bytes: Some(16 << 20),
        ..Resources::default()
    };
    let (_, _, exit) = site.run(&spec);
    assert_eq!(exit.code, 137);
    assert!(exit.oom_killed);
}

#[test]
fn an_image_may_have_a_hundred_layers() {
    let site = Site::new();
    let mut spec = site.spec(&["sh", "-c", "cat /layer0 /layer99"]);
    for number in 0..100 {
        let name = format!("{number}-{}", "x".repeat(80));
        let layer = site.folder.path().join(name);
        std::fs::create_dir(&layer).unwrap();
        std::fs::write(layer.join(format!("layer{number}")), format!("{number}\n")).unwrap();
        spec.rootfs.lower.insert(0, layer);
    }
    assert_eq!(site.run(&spec).0, "0\n99\n");
}

#[test]
fn nothing_is_left_in_the_writable_layer_but_what_the_container_wrote() {
    let site = Site::new();
    let upper = site.folder.path().join("upper");
    let mut spec = site.spec(&["sh", "-c", "echo data >/root/file"]);
    spec.rootfs.upper = Some(upper.clone());
    spec.network = Network::Host;
    site.run(&spec);
    let mut found = Vec::new();
    collect(&upper, &mut found);
    found.sort();
    assert_eq!(found, [upper.join("root"), upper.join("root/file")]);
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        found.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), found);
        }
    }
}
