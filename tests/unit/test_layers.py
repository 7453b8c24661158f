"""What import contracts cannot say: who touches the compiled module, the environment and the terminal."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pbstore

ROOT = Path(pbstore.__file__).parent
MAY_USE_CORE = {"cli", "client", "datastore", "format", "server", "session"}


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT).parts[0], path, ast.parse(path.read_text())


def uses_core(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "pbstore._core":
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "pbstore" and "_core" in {a.name for a in node.names}:
            return True
    return False


def test_only_some_packages_touch_the_compiled_module() -> None:
    found = {package for package, _, tree in modules() if uses_core(tree)}
    assert found <= MAY_USE_CORE


def test_only_the_command_lines_print_exit_or_read_the_environment() -> None:
    forbidden = {("os", "environ"), ("os", "getenv"), ("sys", "argv"), ("sys", "exit")}
    found = []
    for package, path, tree in modules():
        for node in ast.walk(tree):
            is_print = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            is_attribute = (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and (node.value.id, node.attr) in forbidden
            )
            if package != "cli" and isinstance(node, ast.expr) and (is_print or is_attribute):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []
