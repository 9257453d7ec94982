//! Repositories with actions and workflows, and a workflow that uses all of them.

/// A repository with an action in JavaScript that does something at the beginning and at the end of a job.
pub(crate) const HELLO: &[(&str, &str)] = &[
    (
        "action.yml",
        "name: Hello\n\
         inputs:\n  who: {default: nobody}\n  two words: {default: '${{ github.ref_name }}'}\n\
         outputs: {greeting: {description: what is said}}\n\
         runs: {using: node20, pre: pre.js, main: main.js, post: dist/post.js, post-if: success()}\n",
    ),
    (
        "pre.js",
        "const {env} = process;\n\
         require('fs').appendFileSync(env.GITHUB_STATE, 'token=kept\\n');\n\
         console.log(`before ${env.INPUT_WHO}`);\n",
    ),
    (
        "main.js",
        "const {env} = process;\nconst fs = require('fs');\n\
         console.log(`main ${env.INPUT_WHO} ${env.INPUT_TWO_WORDS} ${env.STATE_token} ${env.LEVEL}`);\n\
         fs.appendFileSync(env.GITHUB_OUTPUT, `greeting=${require('./lib/words').hello} ${env.INPUT_WHO}\\n`);\n\
         fs.appendFileSync(env.GITHUB_STATE, `who=${env.INPUT_WHO}\\n`);\n\
         fs.writeFileSync('made', env.INPUT_WHO);\n\
         console.log('::add-mask::hush-hush');\nconsole.log('it is hush-hush');\n",
    ),
    ("lib/words.js", "exports.hello = 'hello';\n"),
    (
        "dist/post.js",
        "const {env} = process;\nconsole.log(`after ${env.STATE_token} ${env.STATE_who} ${env.INPUT_WHO}`);\n",
    ),
];

/// One that fails, with hooks that run only then and only otherwise.
pub(crate) const BROKEN: &[(&str, &str)] = &[
    (
        "inner/action.yml",
        "name: Broken\n\
         runs: {using: node20, pre: ../said.js, pre-if: failure(), main: ../main.js, post: ../said.js, post-if: failure()}\n",
    ),
    ("main.js", "console.error('it breaks'); process.exit(3);\n"),
    ("said.js", "console.log('a hook of broken');\n"),
];

/// One whose beginning fails.
pub(crate) const NEVER: &[(&str, &str)] = &[
    (
        "action.yml",
        "name: Never\nruns: {using: node20, pre: pre.js, main: main.js, post: main.js}\n",
    ),
    ("pre.js", "throw new Error('not today');\n"),
    ("main.js", "console.log('main or post of never');\n"),
];

/// One that is a Dockerfile and nothing else.
pub(crate) const PLAIN: &[(&str, &str)] = &[(
    "Dockerfile",
    "FROM base:1 AS tools\nFROM busybox\nCOPY --from=tools /word /word\nENTRYPOINT [\"/bin/cat\"]\n",
)];

/// One that uses others, of its own repository, of others and of the tree.
pub(crate) const BOTH: &[(&str, &str)] = &[(
    "nested/action.yml",
    "name: Both\n\
         inputs: {who: {required: true}}\n\
         outputs: {all: {value: '${{ steps.hello.outputs.greeting }} and ${{ steps.shout.outputs.loud }}'}}\n\
         runs:\n  using: composite\n  steps:\n  \
         - {id: hello, uses: team/hello@v1, with: {who: '${{ inputs.who }} within'}, env: {LEVEL: inner}}\n  \
         - {id: shout, uses: ./.github/actions/shout, with: {text: '${{ inputs.who }}'}}\n  \
         - {shell: sh, run: 'echo path ${{ github.action_path }}; ls $GITHUB_ACTION_PATH'}\n  \
         - {if: 'inputs.who == null', shell: sh, run: echo never}\n  \
         - {if: \"inputs.who == 'me' && github.event_name == 'push'\", shell: sh, run: echo for me}\n",
)];

/// Workflows that others call.
pub(crate) const FLOWS: &[(&str, &str)] = &[(
    ".github/workflows/outer.yml",
    "on:\n  workflow_call:\n    inputs: {name: {type: string, required: true}}\n    secrets: {token: {required: true}}\n    \
       outputs: {said: {value: '${{ jobs.inner.outputs.said }}'}}\n\
     jobs:\n  inner:\n    uses: team/inner/.github/workflows/say.yml@main\n    with: {name: '${{ inputs.name }}!'}\n    \
       secrets: {password: '${{ secrets.token }}'}\n",
)];
pub(crate) const INNER: &[(&str, &str)] = &[(
    ".github/workflows/say.yml",
    "on:\n  workflow_call:\n    inputs: {name: {type: string}}\n    secrets: {password: {}}\n    \
       outputs: {said: {value: '${{ jobs.say.outputs.said }}'}}\n\
     jobs:\n  say:\n    runs-on: ubuntu-latest\n    outputs: {said: '${{ steps.say.outputs.said }}'}\n    steps:\n    \
       - id: say\n      env: {PASSWORD: '${{ secrets.password }}'}\n      \
         run: |\n          echo \"said=called ${{ inputs.name }}\" >> $GITHUB_OUTPUT\n          \
           test \"$PASSWORD\" = open-sesame && echo knows $PASSWORD\n",
)];

pub(crate) const WORKFLOW: &str = "\
on: push
env: {LEVEL: workflow}
jobs:
  own:
    runs-on: ubuntu-latest
    steps:
      - run: echo the first step
      - uses: actions/checkout@v4
      - {id: hello, uses: team/hello@v1, with: {who: you}}
      - {id: said, run: 'echo said ${{ steps.hello.outputs.greeting }}; cat made'}
      - {id: shout, uses: ./.github/actions/shout, with: {text: quiet}, env: {EXTRA: mine}}
      - {id: loud, run: 'echo it is ${{ steps.shout.outputs.loud }}'}
      - {id: plain, uses: team/plain@v1, with: {args: /word}}
      - {id: image, uses: 'docker://busybox', with: {entrypoint: /bin/echo, args: 'one \"two three\"'}}
      - {id: both, uses: team/both/nested@v2, with: {who: me}}
      - {id: all, run: 'echo ${{ steps.both.outputs.all }}'}
  within:
    runs-on: ubuntu-latest
    container: node
    steps:
      - {id: hello, uses: team/hello@v1, with: {who: container}}
      - {id: there, run: 'test -e made && node --version'}
  tree:
    uses: ./.github/workflows/called.yml
    with: {count: 2}
  elsewhere:
    uses: team/flows/.github/workflows/outer.yml@v1
    with: {name: you}
    secrets: {token: '${{ secrets.TOKEN }}'}
  last:
    needs: [tree, elsewhere]
    runs-on: ubuntu-latest
    steps:
      - {id: results, run: 'echo ${{ needs.tree.outputs.sum }} ${{ needs.elsewhere.outputs.said }}'}
";

pub(crate) const CALLED: &str = "\
on:
  workflow_call:
    inputs: {count: {type: number}, more: {type: boolean, default: true}}
    outputs: {sum: {value: '${{ jobs.count.outputs.sum }}'}}
jobs:
  count:
    if: inputs.more
    runs-on: ubuntu-latest
    outputs: {sum: '${{ steps.count.outputs.sum }}'}
    steps:
      - {id: count, run: 'echo sum=$((${{ inputs.count }} + 1)) >> $GITHUB_OUTPUT'}
";

pub(crate) const SHOUT: &str = "\
name: Shout
inputs: {text: {required: true}}
outputs: {loud: {description: the same in capitals}}
runs:
  using: docker
  image: Dockerfile
  args: ['${{ inputs.text }}', second]
  env: {EXTRA: the action, OWN: own}
  post-entrypoint: /after
";

pub(crate) const SHOUT_FILE: &str = "\
FROM busybox
COPY entry /entry
RUN printf '#!/bin/sh\\necho done with $STATE_word\\n' > /after && chmod +x /entry /after
ENTRYPOINT [\"/entry\"]
";

pub(crate) const SHOUT_ENTRY: &str = "\
#!/bin/sh
echo \"$# $2 $EXTRA $OWN $INPUT_TEXT\"
echo \"loud=$(echo $1 | tr a-z A-Z)\" >> $GITHUB_OUTPUT
echo word=$1 >> $GITHUB_STATE
";
