#!/usr/bin/env bash
# Runs every test that carries a row of the table below against proxyd and against the program that it replaces,
# and prints what each passed as a Markdown table. Fails when proxyd fails a row.
#   tests/compare-peers.sh [PROXYD [INCUMBENT]]
set -euo pipefail
cd "$(dirname "$0")/.."

proxyd=${1:-${PROXYD:-$PWD/artifacts/proxyd/proxyd}}
incumbent=${2:-/lib/systemd/systemd-socket-proxyd}
suite=tests/ProxyD.BlackBox/bin/Release/net10.0/ProxyD.BlackBox

[[ -x $incumbent ]] || { echo "no $incumbent: install the package systemd, or name another as the second argument" >&2; exit 2; }
if [[ ! -x $proxyd && $proxyd == "$PWD/artifacts/proxyd/proxyd" ]]; then
  echo "publishing proxyd" >&2
  deploy/build.sh >&2
fi
[[ -x $proxyd ]] || { echo "no $proxyd: name another as the first argument, or none" >&2; exit 2; }
dotnet build tests/ProxyD.BlackBox -c Release --nologo -v quiet >&2

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# run SUBJECT NAME: the suite's own exit code only says that some test failed, which is what we came to see.
run() {
  echo "running the rows against $1" >&2
  PROXY_UNDER_TEST=$1 "$suite" -trait "row=W*" -noLogo -noColor -reporter silent -ignoreFailures -result-xml "$results/$2.xml" >&2
}
run "$(realpath "$proxyd")" proxyd
run "$(realpath "$incumbent")" incumbent

version=$("$incumbent" --version | awk 'NR == 1 { print $2 }')
INCUMBENT="$(basename "$incumbent") $version" perl -w - "$results/proxyd.xml" "$results/incumbent.xml" <<'PERL'
use strict;
my @rows = (
  W1 => 'a client that comes before the backend listens is served',
  W2 => 'half-close keeps the reply, in both directions',
  W3 => 'no processor time while nothing can move',
  W4 => 'the default cap of 256 is reachable at a soft limit of 1024 files',
  W5 => 'past the pipe quota of an unprivileged user no pipe is shrunken',
  W6 => 'the cap is exact, and who is over it is reset',
  W7 => 'addresses: `[::1]:80`, every address of a name, no resolver for literals',
  W8 => 'a full Unix backlog is waited for',
  W9 => 'nobody is held for ever: wait limit, keep-alive',
  W10 => 'SIGTERM drains; READY=1 and STOPPING=1 are announced',
  W11 => 'each listener its own destination, by name',
  W12 => 'a backend that closes with unread input loses no tail of its reply',
  W15 => 'a wrapper script without `exec` is told so',
  W16 => 'a connected socket (`Accept=yes`) is served',
);

sub tally {
  my ($file) = @_;
  local $/;
  open my $in, '<', $file or die "$file: $!\n";
  my (%passed, %run);
  for my $test (<$in> =~ m{<test .*?</test>|<test [^>]*/>}gs) {
    my ($result) = $test =~ /result="(\w+)"/;
    next if $result eq 'Skip' or $result eq 'NotRun';
    for my $row ($test =~ /<trait name="row" value="(\w+)"/g) {
      $run{$row}++;
      $passed{$row} += $result eq 'Pass';
    }
  }
  return sub {
    my ($row) = @_;
    my ($passed, $run) = ($passed{$row} // 0, $run{$row} // 0);
    return $run == 0 ? 'not run' : $passed == $run ? "pass ($run)" : "**fail** ($passed of $run)";
  };
}

my ($ours, $theirs) = map { tally($_) } @ARGV;
my $failed = 0;
print "| Row | What | proxyd | $ENV{INCUMBENT} |\n| --- | --- | --- | --- |\n";
while (my ($row, $what) = splice @rows, 0, 2) {
  $failed ||= $ours->($row) !~ /^pass/;
  printf "| %s | %s | %s | %s |\n", $row, $what, $ours->($row), $theirs->($row);
}
exit $failed;
PERL
