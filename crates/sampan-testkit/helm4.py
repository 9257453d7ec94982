"""A command line over the library of Helm 4, for the tests: the words of `helm`, answers as JSON.

Helm 4 is at hand as a library only; what it is asked for here goes to a cluster just as its own program would ask.
"""

import argparse
import json
import sys

import helm_python as helm


def parser():
    """The commands and those of their options that tests need."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--kubeconfig", required=True)
    common.add_argument("--namespace", default="default")
    common.add_argument("--timeout", type=int, default=90, help="seconds")
    common.add_argument("--wait", action="store_const", const="watcher")
    common.add_argument("--set", action="append", default=[])
    common.add_argument("--rollback-on-failure", action="store_true")
    commands = argparse.ArgumentParser(prog="helm4")
    words = commands.add_subparsers(dest="command", required=True)
    words.add_parser("list", parents=[common])
    for command in ["history", "status", "test", "uninstall", "values", "metadata"]:
        words.add_parser(command, parents=[common]).add_argument("name")
    for command in ["install", "upgrade"]:
        word = words.add_parser(command, parents=[common])
        word.add_argument("name")
        word.add_argument("chart")
    word = words.add_parser("rollback", parents=[common])
    word.add_argument("name")
    word.add_argument("revision", type=int, nargs="?")
    return commands


def run(arguments, cluster):
    """Carries a command out and gives what it answers."""
    changing = {"wait": arguments.wait, "timeout": arguments.timeout}
    name = getattr(arguments, "name", None)
    match arguments.command:
        case "install" | "upgrade" as command:
            values = helm.parse_set_string(",".join(arguments.set))
            change = cluster.install if command == "install" else cluster.upgrade
            undo = arguments.rollback_on_failure
            return change(arguments.chart, name, values, rollback_on_failure=undo, **changing)
        case "rollback":
            return cluster.rollback(name, version=arguments.revision, **changing)
        case "uninstall":
            return cluster.uninstall(name, **changing)
        case "test":
            return cluster.test(name, timeout=arguments.timeout, logs=True)
        case "list":
            return cluster.list(all_states=True)
        case "history":
            return cluster.history(name)
        case "status":
            return cluster.status(name)
        case "values":
            return cluster.get_values(name)
        case "metadata":
            return cluster.get_metadata(name)


def main():
    arguments = parser().parse_args()
    options = {"kubeconfig_path": arguments.kubeconfig, "namespace": arguments.namespace}
    try:
        with helm.Config(**options) as cluster:
            print(json.dumps(run(arguments, cluster)))
    except helm.HelmError as problem:
        sys.exit(f"Error: {problem}")


main()
