# shellcheck shell=bash
# Sourced by scripts/demo and scripts/test: brings a Debian or Ubuntu machine to where this checkout runs.
# Reaches only the machine's Debian mirror and npm registry; says what it does, one line a step.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="$root/.cache"
log="$cache/setup.log"
mkdir -p "$cache"

fail() {
  printf '\n%s\n' "$1" >&2
  [ -n "${2-}" ] && printf 'What to do: %s\n' "$2" >&2
  exit 1
}

# step TEXT COMMAND...: one line for people, the command's own output into the log, shown when it fails.
step() {
  local text=$1 began=$SECONDS
  shift
  printf '  %-46s' "$text"
  if "$@" >>"$log" 2>&1 </dev/null; then
    printf ' ok (%d s)\n' $((SECONDS - began))
  else
    printf ' FAILED\n'
    tail -n 20 "$log" >&2
    fail "Step failed: $text" "read the lines above; the whole log is in $log"
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_install() {
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

setup_debian_packages() {
  local missing=() package
  command -v apt-get >/dev/null || fail 'This machine has no apt-get.' 'use Debian 12 or Ubuntu 22.04 or newer, or install ffmpeg, make, g++, python3 and Node 20.19 by hand'
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] || step "Debian packages: ${missing[*]}" apt_install "${missing[@]}"
}

node_is_new_enough() {
  "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

# Debian 12 brings Node 18; the npm registry carries Node itself as a package.
setup_node() {
  if command -v node >/dev/null && node_is_new_enough node; then return; fi
  setup_debian_packages nodejs npm
  if node_is_new_enough node; then return; fi
  local arch=x64
  [ "$(uname -m)" = aarch64 ] && arch=arm64
  local local_node="$cache/node/node_modules/node-linux-$arch"
  [ -x "$local_node/bin/node" ] ||
    step 'Node 20 from the npm registry' npm install --no-save --prefix "$cache/node" "node-linux-$arch@20.20.2"
  export PATH="$local_node/bin:$PATH"
  node_is_new_enough node || fail 'No Node.js >= 20.19 could be had.' 'install Node 20.19 or newer and run this again'
}

npm_ci() {
  # onnxruntime's install script would fetch CUDA libraries from an address of its own; the CPU needs none.
  export ONNXRUNTIME_NODE_INSTALL=skip
  # node-gyp finds Node's headers beside Node, without asking the network.
  local prefix
  prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  if [ -z "${npm_config_nodedir-}" ] && [ -f "$prefix/include/node/node.h" ]; then export npm_config_nodedir=$prefix; fi
  npm ci --no-audit --no-fund
}

setup_modules() {
  local stamp="$root/node_modules/.apex-setup" want
  want=$(cat "$root/package-lock.json" "$root/package.json" <(node -v) | sha256sum | cut -d' ' -f1)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then return; fi
  step 'npm packages (about 2 minutes, compiles SQLite)' npm_ci
  echo "$want" >"$stamp"
}

# Weights and footage beside the checkout are used when nothing else is named.
use_local_assets() {
  local shared
  shared=$(dirname "$root")/shared
  if [ -z "${APEX_MODELS_MIRROR-}" ] && [ -d "$shared/models" ]; then export APEX_MODELS_MIRROR="$shared/models"; fi
  if [ -z "${APEX_TEST_MEDIA-}" ] && [ -d "$shared/media" ]; then export APEX_TEST_MEDIA="$shared/media"; fi
}

setup() {
  cd "$root" || exit 1
  : >"$log"
  setup_debian_packages ffmpeg make g++ python3 ca-certificates util-linux systemd "$@"
  setup_node
  setup_modules
  step 'build' npm run --silent build
  use_local_assets
}
