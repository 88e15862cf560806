"""python lib/graft/kernel -f CONNECTION_FILE   the kernel, as Jupyter starts it
python lib/graft/kernel install                 writes <prefix>/share/jupyter/kernels/xcpp17, for JUPYTER_PATH=<prefix>/share/jupyter
python lib/graft/kernel prepare                 makes the precompiled header
"""
import json
import sys

import settings

NAME = "xcpp17"  # xeus-cling's, so that a notebook finds either


def install():
    folder = settings.PREFIX / "share" / "jupyter" / "kernels" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    words = {"argv": [sys.executable, str(settings.HERE), "-f", "{connection_file}"], "display_name": "C++17 (graft)", "language": "C++17"}
    (folder / "kernel.json").write_text(json.dumps(words, indent=1) + "\n")
    print(folder)


def main():
    if sys.argv[1:] == ["install"]:
        install()
    elif sys.argv[1:] == ["prepare"]:
        import pch
        print(pch.ready())
    else:
        from ipykernel.kernelapp import IPKernelApp

        from kernel import CppKernel
        IPKernelApp.launch_instance(kernel_class=CppKernel, log_level="ERROR")


if __name__ == "__main__":
    main()
