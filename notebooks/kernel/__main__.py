"""python lib/graft/kernel -f CONNECTION_FILE   the kernel, as Jupyter starts it
python lib/graft/kernel install                 writes <prefix>/share/jupyter/kernels/xcpp17, for JUPYTER_PATH=<prefix>/share/jupyter
python lib/graft/kernel prepare                 makes the precompiled header
python lib/graft/kernel xeus-cling              tells the xeus-cling of this Python's conda environment where graft is
"""
import json
import sys
from pathlib import Path

import settings

NAME = "xcpp17"  # xeus-cling's, so that a notebook finds either


def install():
    folder = settings.PREFIX / "share" / "jupyter" / "kernels" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    words = {"argv": [sys.executable, str(settings.HERE), "-f", "{connection_file}"], "display_name": "C++17 (graft)", "language": "C++17"}
    (folder / "kernel.json").write_text(json.dumps(words, indent=1) + "\n")
    print(folder)


def for_xeus_cling(prefix):
    """Its kernel xcpp17 gets the headers, and the libraries by the path that Cling's loader looks at."""
    file = Path(prefix) / "share" / "jupyter" / "kernels" / NAME / "kernel.json"
    if not file.exists():
        sys.exit(f"there is no {file}: is xeus-cling installed in this environment?")
    words = json.loads(file.read_text())
    include, libraries = f"-I{settings.HEADERS}", words.setdefault("env", {}).get("LD_LIBRARY_PATH", "").split(":")
    if include not in words["argv"]:
        words["argv"].append(include)
    if str(settings.LIBRARIES) not in libraries:
        words["env"]["LD_LIBRARY_PATH"] = ":".join(filter(None, [str(settings.LIBRARIES), *libraries]))
    part = file.with_suffix(".part")
    part.write_text(json.dumps(words, indent=1) + "\n")
    part.replace(file)
    print(file)


def main():
    if sys.argv[1:] == ["install"]:
        install()
    elif sys.argv[1:] == ["prepare"]:
        import pch
        print(pch.ready())
    elif sys.argv[1:] == ["xeus-cling"]:
        for_xeus_cling(sys.prefix)
    else:
        from ipykernel.kernelapp import IPKernelApp

        from kernel import CppKernel
        IPKernelApp.launch_instance(kernel_class=CppKernel, log_level="ERROR")


if __name__ == "__main__":
    main()
