// A daemon that exits as soon as nobody has needed it for a while: the time changes each time, so that clients meet every moment of its end.
// PORT       where it listens on 127.0.0.1
// MANNER     exit: when its time is up it tidies up and is gone, and with it whoever came into its listen queue meanwhile
//            close: closes its listener first, then finishes what it has, tidies up, and exits
// EVENT_LOG  appends a line per event here: start, exit, and request TOKEN, done TOKEN (TOKEN is the request's path)
const fs = require('node:fs');
const http = require('node:http');

const quietMs = { min: 20, max: 200 };
const tidyMs = { exit: 5, close: 20 };

const log = fs.openSync(process.env.EVENT_LOG, 'a');
// Synchronous, so that the line is there even if the next instruction is never reached.
const note = line => fs.writeSync(log, `${line}\n`);

let connections = 0;
let quiet;

const server = http.createServer((request, response) => {
  const token = request.url.slice(1);
  note(`request ${token}`);
  response.end(`${token}\n`, () => note(`done ${token}`));
});
server.on('connection', socket => {
  connections++;
  clearTimeout(quiet);
  socket.on('close', () => {
    connections--;
    waitForQuiet();
  });
});
server.listen(Number(process.env.PORT), '127.0.0.1', () => {
  note('start');
  waitForQuiet();
});

function waitForQuiet() {
  if (connections > 0 || !server.listening) return;
  quiet = setTimeout(end, quietMs.min + Math.random() * (quietMs.max - quietMs.min));
}

function end() {
  if (process.env.MANNER === 'exit') tidyAndExit(tidyMs.exit);
  else server.close(() => tidyAndExit(tidyMs.close));
}

// Synchronous, as programs save their state when they exit.
function tidyAndExit(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  note('exit');
  process.exit(0);
}
