"""Imports from a provider's SDK only what is used.

`import pulumi_cloudflare` runs an __init__ that imports all 308 resources: 2 s of every preview. Here the package is
entered without its __init__, so that `from pulumi_cloudflare.dns_record import DnsRecord` costs that module and the
types it needs. (pulumi_aws does the same by itself. From Python 3.15 on, `lazy import` will do.)
"""

from __future__ import annotations

import atexit
import gc
import importlib.util
import sys
from types import ModuleType

# Loading 200 000 lines of classes makes objects that all stay. Looking for garbage among them took a quarter of the
# loading, and once more half a second when the interpreter ends. A program of a few seconds has little to collect.
gc.set_threshold(100_000, 20, 100)
atexit.register(gc.freeze)


def enter_lightly(package: str) -> None:
    """Call it before the first import from the package; does nothing where the whole of it is loaded already."""
    if package in sys.modules:
        return
    spec = importlib.util.find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"{package} is not installed: run ./infra once, or pip install -r requirements.txt")
    module = ModuleType(package)
    module.__spec__, module.__path__ = spec, list(spec.submodule_search_locations)
    module.__file__, module.__package__ = spec.origin, package
    sys.modules[package] = module
