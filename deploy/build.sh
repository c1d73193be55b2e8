#!/usr/bin/env bash
# Publishes the daemon, artifacts/proxyd/proxyd, and beside it its tools, artifacts/proxyd/proxyd-tools. Installs what the AOT linker needs and this machine lacks.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v dotnet >/dev/null || { echo "build.sh: the .NET 10 SDK is missing; see https://dotnet.microsoft.com/download" >&2; exit 1; }
[[ $(dotnet --version) == 10.* ]] || { echo "build.sh: the .NET SDK is $(dotnet --version); expected 10" >&2; exit 1; }
if ! command -v gcc >/dev/null || [[ ! -e /usr/include/zlib.h ]]; then
  deploy/apt-install.sh gcc libc6-dev zlib1g-dev
fi

dotnet publish src/ProxyD -c Release -o artifacts/proxyd --nologo -v quiet
# To a folder of its own first: a publish takes away what the one before it left in the same folder.
dotnet publish src/ProxyD -c Release -p:Tools=true -o artifacts/proxyd-tools --nologo -v quiet
cp artifacts/proxyd-tools/proxyd-tools artifacts/proxyd-tools/proxyd-tools.dbg artifacts/proxyd/
