//! What runs keep for later ones and jobs for one another, wherever in the container it lies. Needs root.

#[path = "ci_commands/fixture.rs"]
mod fixture;

use fixture::{Project, SAMPAN};
use sampan_testkit::{Finished, Installation};

const CACHES: &str = "\
on: push
jobs:
  container:
    runs-on: ubuntu-latest
    container: busybox
    steps:
      - uses: actions/checkout@v4
      - id: cache
        uses: actions/cache@v4
        with:
          path: |
            ~/.npm
            ~/.cache/pip/*
            /var/lib/tool
            deps
          key: c-${{ runner.os }}-${{ hashFiles('**/lock') }}
          restore-keys: |
            c-${{ runner.os }}-
      - id: look
        run: |
          echo \"hit=${{ steps.cache.outputs.cache-hit }} matched=${{ steps.cache.outputs.cache-matched-key != '' }}\"
          for file in ~/.npm/a/b ~/.cache/pip/x /var/lib/tool/bin/program /var/lib/tool/link deps/d; do
            test ! -e $file || echo \"$file $(cat $file) $(stat -c %a $file)\"
          done
      - id: make
        if: steps.cache.outputs.cache-hit != 'true'
        run: |
          mkdir -p ~/.npm/a ~/.cache/pip /var/lib/tool/bin deps
          echo npm > ~/.npm/a/b
          echo pip > ~/.cache/pip/x
          echo tool > /var/lib/tool/bin/program && chmod 755 /var/lib/tool/bin/program
          ln -sf /var/lib/tool/bin/program /var/lib/tool/link
          cp lock deps/d
  runner:
    runs-on: ubuntu-latest
    steps:
      - id: restore
        uses: actions/cache/restore@v4
        with: {path: ~/made, key: 'r-${{ github.sha }}-never', restore-keys: r-}
      - id: look
        run: echo \"hit=${{ steps.restore.outputs.cache-hit }} $(cat ~/made/file 2>/dev/null || true)\"
      - id: make
        run: mkdir -p ~/made && echo from-runner > $HOME/made/file
      - uses: actions/cache/save@v4
        with: {path: ~/made, key: 'r-${{ github.run_id }}'}
      - id: kernel
        uses: actions/cache/save@v4
        with: {path: /proc/self/status, key: 'k-${{ github.run_id }}'}
";

/// The lines of a step in what a run said, without those that tell what is run.
fn lines<'a>(ran: &'a Finished, step: &str) -> Vec<&'a str> {
    let mark = format!("[{step}] ");
    let lines = ran.stderr.lines();
    let lines = lines.filter_map(|line| line.strip_prefix(&*mark));
    let is_told = |line: &&str| *line != "began" && !line.starts_with(['+', '✔', '✘', '–']);
    lines.filter(is_told).collect()
}

#[test]
fn caches_of_jobs_may_lie_anywhere_in_their_container() {
    let site = Installation::site(SAMPAN, "ci-caches");
    site.import_busybox();
    std::fs::write(
        site.data().join("ci.yaml"),
        "runners: {ubuntu-*: busybox}\n",
    )
    .expect("a file");
    let project = Project::new(&[
        (".github/workflows/check.yml", CACHES),
        ("package/lock", "one\n"),
        ("lock", "top\n"),
    ]);
    let run = || project.ci(&site, &["run", "--jobs", "1"]).expect_code(0);

    let first = run();
    assert_eq!(
        lines(&first, "container/look"),
        ["hit= matched=false"],
        "{}",
        first.stderr
    );
    assert_eq!(
        lines(&first, "runner/look").first(),
        Some(&"hit= "),
        "{}",
        first.stderr
    );
    let kernel = lines(&first, "runner/kernel");
    assert!(
        kernel.iter().any(|line| line.contains("Nothing is kept")),
        "{kernel:?}"
    );

    let second = run();
    let kept = [
        "/github/runner/home/.npm/a/b npm 644",
        "/github/runner/home/.cache/pip/x pip 644",
        "/var/lib/tool/bin/program tool 755",
        "/var/lib/tool/link tool 777",
        "deps/d top 644",
    ];
    let mut expected = vec!["hit=true matched=true"];
    expected.extend(kept);
    let seen = lines(&second, "container/look");
    assert_eq!(seen, expected, "{}", second.stderr);
    assert!(
        lines(&second, "container/make").is_empty(),
        "{}",
        second.stderr
    );
    assert_eq!(
        lines(&second, "runner/look"),
        ["hit=false from-runner"],
        "{}",
        second.stderr
    );

    // Another file that the key is made from: what is like it is restored, and the new key is kept.
    project.write("package/lock", "two\n");
    let third = run();
    expected[0] = "hit=false matched=true";
    assert_eq!(
        lines(&third, "container/look"),
        expected,
        "{}",
        third.stderr
    );
    expected[0] = "hit=true matched=true";
    assert_eq!(lines(&run(), "container/look"), expected);
    project.write("package/lock", "one\n");
    assert_eq!(lines(&run(), "container/look"), expected);
}

const ARTIFACTS: &str = "\
on: push
jobs:
  make:
    strategy: {matrix: {part: [left, right]}}
    runs-on: ubuntu-latest
    container: busybox
    steps:
      - run: |
          mkdir -p dist/inner dist/.hidden /tmp/outside
          for file in dist/${{ matrix.part }}.txt dist/inner/${{ matrix.part }} dist/${{ matrix.part }}.map dist/.hidden/h; do
            echo ${{ matrix.part }} > $file
          done
          echo outside > /tmp/outside/${{ matrix.part }}
      - id: upload
        uses: actions/upload-artifact@v4
        with:
          name: part-${{ matrix.part }}
          path: |
            dist
            !dist/**/*.map
          if-no-files-found: error
      - uses: actions/upload-artifact@v4
        with: {name: 'outside-${{ matrix.part }}', path: /tmp/outside/*}
      - id: none
        uses: actions/upload-artifact@v4
        continue-on-error: true
        with: {name: 'none-${{ matrix.part }}', path: nothing/*, if-no-files-found: error}
      - run: echo '${{ steps.none.outcome }} ${{ steps.upload.outputs.artifact-id != '' }}'
  use:
    needs: make
    runs-on: ubuntu-latest
    container: busybox
    steps:
      - uses: actions/download-artifact@v4
        with: {pattern: part-*, path: merged, merge-multiple: true}
      - uses: actions/download-artifact@v4
        with: {pattern: part-*, path: apart}
      - id: one
        uses: actions/download-artifact@v4
        with: {name: part-left, path: ~/one}
      - uses: actions/download-artifact@v4
        with: {name: outside-right, path: /opt/given}
      - {id: look, run: 'find merged apart -type f | sort; cat ~/one/left.txt /opt/given/right; echo ${{ steps.one.outputs.download-path }}'}
      - {uses: actions/download-artifact@v4, id: missing, continue-on-error: true, with: {name: part-lefd}}
";

#[test]
fn jobs_hand_over_artifacts_by_name_and_pattern() {
    let site = Installation::site(SAMPAN, "ci-artifacts");
    site.import_busybox();
    let project = Project::new(&[(".github/workflows/check.yml", ARTIFACTS)]);
    let ran = project.ci(&site, &["run"]).expect_code(0);
    let look = lines(&ran, "use/look");
    let expected = [
        "apart/part-left/inner/left",
        "apart/part-left/left.txt",
        "apart/part-right/inner/right",
        "apart/part-right/right.txt",
        "merged/inner/left",
        "merged/inner/right",
        "merged/left.txt",
        "merged/right.txt",
        "left",
        "outside",
        "/github/runner/home/one",
    ];
    assert_eq!(look, expected, "{}", ran.stderr);
    let missing = lines(&ran, "use/missing").join("\n");
    assert!(missing.contains("did you mean `part-left`?"), "{missing}");
    assert!(ran.stderr.contains("] failure true"), "{}", ran.stderr);
}
