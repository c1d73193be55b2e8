// A daemon that listens before it can serve, and then answers everything with 503 until it is ready, and that takes its time to stop.
// PORT          where it listens on 127.0.0.1
// LISTEN_MS     how long it lives before it listens (0)
// READY_MS      how long after it listens it is ready (0)
// STOP_MS       how long after SIGTERM it exits (0), with its listener closed meanwhile
// READY_STATUS  what GET /health is answered with once it is ready (200)
// READY_FILE    a file that it makes then
// NOTIFY_SOCKET if systemd gives one (Type=notify, NotifyAccess=all), systemd is told then
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');

let ready = false;

const server = http.createServer((request, response) => {
  const isHealth = request.url === '/health';
  response.statusCode = !ready ? 503 : isHealth ? Number(process.env.READY_STATUS ?? 200) : 200;
  response.end(`${request.url.slice(1)}\n`);
});
setTimeout(listen, Number(process.env.LISTEN_MS ?? 0));

process.on('SIGTERM', () => {
  server.close();
  setTimeout(() => process.exit(0), Number(process.env.STOP_MS ?? 0));
});

function listen() {
  const readyMs = Number(process.env.READY_MS ?? 0);
  server.listen(Number(process.env.PORT), '127.0.0.1', () => readyMs > 0 ? setTimeout(becomeReady, readyMs) : becomeReady());
}

function becomeReady() {
  ready = true;
  if (process.env.READY_FILE) fs.writeFileSync(process.env.READY_FILE, '');
  if (process.env.NOTIFY_SOCKET) execFileSync('systemd-notify', ['--ready']);
}
