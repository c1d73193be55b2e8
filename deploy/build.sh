#!/usr/bin/env bash
# Publishes proxyd as one native file: artifacts/proxyd/proxyd. Installs what the AOT linker needs and this machine lacks.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v dotnet >/dev/null || { echo "build.sh: the .NET 10 SDK is missing; see https://dotnet.microsoft.com/download" >&2; exit 1; }
[[ $(dotnet --version) == 10.* ]] || { echo "build.sh: the .NET SDK is $(dotnet --version); expected 10" >&2; exit 1; }
if ! command -v gcc >/dev/null || [[ ! -e /usr/include/zlib.h ]]; then
  deploy/apt-install.sh gcc libc6-dev zlib1g-dev
fi

dotnet publish src/ProxyD -c Release -o artifacts/proxyd --nologo -v quiet
