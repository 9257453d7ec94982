//! Builds through the public face, on an image made of busybox. Needs root.
#![expect(
    clippy::unwrap_used,
    reason = "in tests, a failed expectation is a panic"
)]

#[path = "build/copying.rs"]
mod copying;
#[path = "build/running.rs"]
mod running;
#[path = "build/site.rs"]
mod site;

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use sampan_build::{BuildError, BuildNetwork, Outcome, StepError};
use sampan_model::Hint;
use sampan_oci::MediaType;
use sampan_oci::layer::Compression;
use site::Site;

#[test]
fn a_build_of_several_stages_makes_an_image_that_is_what_the_file_says() {
    let site = Site::new();
    site.write("app/main.txt", "hello\n");
    site.write("app/sub/more.txt", "more\n");
    site.dockerfile(
        "ARG BASE=busybox\n\
         FROM $BASE AS build\n\
         ARG WHO=world\n\
         WORKDIR /src\n\
         COPY app ./\n\
         RUN cat main.txt > out && echo \"for $WHO\" >> out && chmod 600 out\n\
         FROM unused-and-absent AS unused\n\
         RUN false\n\
         FROM busybox\n\
         ENV GREETING=hi PATH=/opt/bin:$PATH\n\
         LABEL kind=test \"with space\"='a b'\n\
         COPY --from=build --chown=app /src/out /data/result\n\
         USER app\n\
         WORKDIR /data/work\n\
         EXPOSE 80 8000-8002/udp\n\
         VOLUME [\"/var/lib/app\"]\n\
         STOPSIGNAL SIGINT\n\
         HEALTHCHECK --interval=5s CMD true\n\
         ENTRYPOINT [\"/bin/sh\"]\n\
         CMD [\"-c\", \"cat /data/result\"]\n",
    );
    let built = site.build();
    let (image, raw) = site.image(&built);
    assert_eq!(
        image.manifest.layers().len(),
        image.config.rootfs().diff_ids().len()
    );
    let config = &raw["config"];
    assert_eq!(config["Env"][1], "GREETING=hi");
    assert_eq!(
        config["Env"][0].as_str().unwrap().split(':').next(),
        Some("PATH=/opt/bin")
    );
    assert_eq!(config["Labels"]["with space"], "a b");
    assert_eq!(config["User"], "app");
    assert_eq!(config["WorkingDir"], "/data/work");
    assert_eq!(config["StopSignal"], "SIGINT");
    assert_eq!(config["ExposedPorts"].as_object().unwrap().len(), 4);
    assert_eq!(config["Healthcheck"]["Test"][1], "true");
    assert_eq!(config["Healthcheck"]["Interval"], 5_000_000_000_i64);
    assert_eq!(config["Cmd"][1], "cat /data/result");
    let root = site.files(&image);
    let result = root.path("data/result");
    assert_eq!(
        std::fs::read_to_string(&result).unwrap(),
        "hello\nfor world\n"
    );
    let metadata = result.metadata().unwrap();
    assert_eq!(
        (metadata.uid(), metadata.gid(), metadata.mode() & 0o777),
        (1000, 1000, 0o600)
    );
    assert_eq!(metadata.mtime(), 0);
    let workdir = root.path("data/work").metadata().unwrap();
    assert_eq!((workdir.uid(), workdir.mode() & 0o777), (1000, 0o755));
}

#[test]
fn a_second_build_takes_everything_from_the_cache_and_only_changes_are_built_again() {
    let site = Site::new();
    site.write("a", "one");
    site.write("b", "two");
    site.dockerfile(
        "FROM busybox\nRUN echo first > /first\nCOPY a /a\nCOPY b /b\nRUN cat /a /b > /both\n",
    );
    let first = site.build();
    let (second, outcomes) = site.build_with_outcomes();
    assert_eq!(first.digest, second.digest);
    assert_eq!(outcomes, [Outcome::Cached; 5]);
    let mut other = site.request();
    other.compression = Compression::Gzip;
    let (image, _) = site.image(&site.build_request(&other));
    assert_eq!(
        *image.manifest.layers()[1].media_type(),
        MediaType::ImageLayerGzip
    );
    // Another time of the same content changes nothing.
    site.write("a", "one");
    assert_eq!(site.build_with_outcomes().1, [Outcome::Cached; 5]);
    site.write("b", "three");
    let (third, outcomes) = site.build_with_outcomes();
    let expected = [
        Outcome::Cached,
        Outcome::Cached,
        Outcome::Cached,
        Outcome::Done,
        Outcome::Done,
    ];
    assert_eq!(outcomes, expected);
    assert_ne!(first.digest, third.digest);
    site.chmod("b", 0o755);
    assert_eq!(site.build_with_outcomes().1[3], Outcome::Done);
}

#[test]
fn the_same_input_gives_the_same_digest_in_another_installation() {
    let build = || {
        let site = Site::new();
        site.write("web/index.html", "<html>");
        site.write("web/run.sh", "#!/bin/sh\n");
        site.chmod("web/run.sh", 0o755);
        symlink("index.html", site.context().join("web/home.html")).unwrap();
        site.dockerfile(
            "FROM busybox\nCOPY web /srv/web/\nRUN mkdir -p /out/x && cp /srv/web/* /out/x && \
             ln /out/x/index.html /out/hard && rm -r /tmp && mkdir /tmp\nRUN rm /bin/vi\n",
        );
        site.build().digest
    };
    assert_eq!(build(), build());
}

#[test]
fn a_run_leaves_nothing_behind_but_what_its_command_made() {
    let site = Site::new();
    site.dockerfile("FROM busybox\nRUN true\nRUN ls /proc/self /sys /dev/null /etc/resolv.conf\n");
    let built = site.build();
    let (image, _) = site.image(&built);
    assert_eq!(
        image.manifest.layers().len(),
        1,
        "only the layer of the base image"
    );
    assert!(site.is_tidy());
}

#[test]
fn sources_and_destinations_follow_the_rules() {
    let site = Site::new();
    for path in [
        "dir/a.txt",
        "dir/b.txt",
        "dir/c.bin",
        "dir/deep/d.txt",
        "one.txt",
    ] {
        site.write(path, path);
    }
    site.write("skipped/secret", "no");
    site.write(".dockerignore", "skipped\n**/*.bin\n");
    site.dockerfile(
        "FROM scratch\n\
         COPY one.txt /renamed\n\
         COPY one.txt /folder/\n\
         COPY dir /all\n\
         COPY dir/*.txt /texts/\n\
         COPY --parents dir/deep/d.txt /parents/\n\
         COPY --chmod=u=rw,go= one.txt /private\n\
         COPY --exclude=**/*.txt dir /excluded\n\
         COPY . /context/\n\
         WORKDIR /w\n\
         COPY one.txt .\n\
         COPY <<first <<\"second\" /inline/\n\
         name=$NAME\n\
         first\n\
         name=$NAME\n\
         second\n",
    );
    let built = site.build();
    let (image, _) = site.image(&built);
    let root = site.files(&image);
    let found = root.list();
    for path in [
        "renamed",
        "folder/one.txt",
        "all/a.txt",
        "all/deep/d.txt",
        "texts/a.txt",
        "texts/b.txt",
        "parents/dir/deep/d.txt",
        "w/one.txt",
        "context/dir/a.txt",
        "context/.dockerignore",
        "excluded/deep",
    ] {
        assert!(found.contains(&path.to_owned()), "{path}: {found:#?}");
    }
    assert!(
        !found
            .iter()
            .any(|path| path.ends_with("c.bin") || path.contains("secret"))
    );
    assert!(
        !found
            .iter()
            .any(|path| path.starts_with("excluded/") && path.contains(".txt"))
    );
    assert_eq!(
        root.path("private")
            .metadata()
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    assert_eq!(
        std::fs::read_to_string(root.path("inline/first")).unwrap(),
        "name=\n"
    );
    assert_eq!(
        std::fs::read_to_string(root.path("inline/second")).unwrap(),
        "name=$NAME\n"
    );
}

#[test]
fn links_in_an_image_never_lead_out_of_it() {
    let site = Site::new();
    site.write("file", "content");
    site.dockerfile(
        "FROM busybox\nRUN ln -s /inside /absolute && ln -s ../../../../inside /relative && mkdir /inside\n\
         COPY file /absolute/one\nCOPY file /relative/two\nCOPY file /absolute\n",
    );
    let built = site.build();
    let (image, _) = site.image(&built);
    let found = site.files(&image).list();
    for path in ["inside/one", "inside/two", "inside/file"] {
        assert!(found.contains(&path.to_owned()), "{path}: {found:#?}");
    }
    assert!(!std::path::Path::new("/inside").exists());
}

#[test]
fn archives_are_unpacked_by_add_and_kept_by_copy() {
    let site = Site::new();
    site.write("tree/x/y", "in the archive");
    let context = site.context().display().to_string();
    site::shell(&format!(
        "tar -C {context}/tree -czf {context}/tree.tar.gz x"
    ));
    site.dockerfile(
        "FROM busybox\nADD tree.tar.gz /added/\nCOPY tree.tar.gz /copied/\nADD tree /plain\n",
    );
    let built = site.build();
    let (image, _) = site.image(&built);
    let found = site.files(&image).list();
    for path in ["added/x/y", "copied/tree.tar.gz", "plain/x/y"] {
        assert!(found.contains(&path.to_owned()), "{path}: {found:#?}");
    }
}

#[test]
fn heredocs_are_scripts_or_parts_of_commands() {
    let site = Site::new();
    site.dockerfile(
        "FROM busybox\n\
         RUN <<EOF\nset -e\necho one > /one\nfalse || echo two > /two\nEOF\n\
         RUN cat <<EOF > /three && echo four > /four\nthree $((1+2))\nEOF\n\
         RUN <<-EOF\n\t#!/bin/busybox sh\n\techo \"$0\" > /five\nEOF\n",
    );
    let built = site.build();
    let (image, _) = site.image(&built);
    let root = site.files(&image);
    assert_eq!(std::fs::read_to_string(root.path("two")).unwrap(), "two\n");
    assert_eq!(
        std::fs::read_to_string(root.path("three")).unwrap(),
        "three 3\n"
    );
    assert_eq!(
        std::fs::read_to_string(root.path("five")).unwrap(),
        "/dev/pipes/EOF\n"
    );
}

#[test]
fn mounts_are_seen_by_the_command_and_are_no_part_of_the_image() {
    let site = Site::new();
    site.write("input/file", "from the context");
    site.dockerfile(
        "FROM busybox AS other\nRUN mkdir /made && echo made > /made/file\n\
         FROM busybox\n\
         RUN --mount=type=bind,source=input,target=/input --mount=from=other,source=/made,target=/other \
         --mount=type=cache,target=/cache --mount=type=tmpfs,target=/memory \
         cat /input/file /other/file > /result && touch /cache/kept /memory/lost\n\
         RUN --mount=type=cache,target=/cache ls /cache > /cached\n",
    );
    let built = site.build();
    let (image, _) = site.image(&built);
    let root = site.files(&image);
    assert_eq!(
        std::fs::read_to_string(root.path("result")).unwrap(),
        "from the contextmade\n"
    );
    assert_eq!(
        std::fs::read_to_string(root.path("cached")).unwrap(),
        "kept\n"
    );
    let found = root.list();
    for path in ["input", "other", "cache", "memory"] {
        assert!(!found.contains(&path.to_owned()), "{path}");
    }
}

#[test]
fn triggers_of_a_base_run_in_the_next_build() {
    let site = Site::new();
    site.dockerfile("FROM busybox\nONBUILD COPY app /app\nONBUILD RUN cat /app > /seen\n");
    site.build_as("base");
    site.write("app", "mine");
    site.dockerfile("FROM base\nENV AFTER=1\n");
    let built = site.build();
    let (image, raw) = site.image(&built);
    assert_eq!(
        std::fs::read_to_string(site.files(&image).path("seen")).unwrap(),
        "mine"
    );
    assert!(raw["config"].get("OnBuild").is_none());
}

#[test]
fn commands_run_as_the_user_with_the_environment_of_the_image() {
    let site = Site::new();
    site.dockerfile(
        "FROM busybox\nARG SECRET=x\nENV KEPT=y\nSHELL [\"/bin/sh\", \"-e\", \"-c\"]\nUSER app\nWORKDIR /tmp/w\n\
         RUN id -u > out; echo $SECRET $KEPT $http_proxy >> out; pwd >> out; hostname >> out\n",
    );
    let mut request = site.request();
    request.proxies = vec![("http_proxy".to_owned(), "http://proxy:1".to_owned())];
    let built = site.build_request(&request);
    let (image, raw) = site.image(&built);
    let out = std::fs::read_to_string(site.files(&image).path("tmp/w/out")).unwrap();
    assert_eq!(out, "1000\nx y http://proxy:1\n/tmp/w\nsampan-build\n");
    assert!(!raw.to_string().contains("proxy:1"));
}

#[test]
fn failures_name_the_step_and_leave_what_was_there() {
    let site = Site::new();
    site.dockerfile("FROM busybox\n");
    let before = site.build();
    site.dockerfile("FROM busybox\nRUN echo before; exit 3\n");
    let error = site.try_build().unwrap_err();
    let BuildError::Step { span, cause, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(span.first, 2);
    assert!(matches!(**cause, StepError::Command { code: 3, .. }));
    assert_eq!(site.tagged().unwrap().digest(), before.descriptor.digest());
    assert!(site.is_tidy());
    for (text, hint) in [
        ("FROM busybux\n", "did you mean `busybox:latest`?"),
        (
            "FROM busybox AS build\nFROM busybox\nCOPY --from=biuld /a /b\n",
            "did you mean `build`?",
        ),
        (
            "FROM busybox\nCOPY requirments.txt /\n",
            "did you mean `requirements.txt`?",
        ),
        (
            "FROM busybox\nCOPY secret /\n",
            "add `!secret` to `.dockerignore`",
        ),
        (
            "FROM busybox\nCOPY requirements.txt .dockerignore /x\n",
            "end the destination with a slash: `/x/`",
        ),
    ] {
        site.write("requirements.txt", "");
        site.write("secret", "");
        site.write(".dockerignore", "secret");
        site.dockerfile(text);
        assert_eq!(
            site.try_build().unwrap_err().hint().as_deref(),
            Some(hint),
            "{text}"
        );
    }
    assert!(site.is_tidy());
}

#[test]
fn only_the_target_and_what_it_needs_is_built() {
    let site = Site::new();
    site.dockerfile(
        "FROM busybox AS one\nRUN echo 1 > /1\nFROM one AS two\nRUN false\nFROM one AS three\nRUN echo 3 > /3\n",
    );
    let mut request = site.request();
    request.target = Some("Three".to_owned());
    request.network = BuildNetwork::None;
    site.build_request(&request);
    request.target = Some("thre".to_owned());
    let error = site.try_request(&request).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("did you mean `three`?"));
}
