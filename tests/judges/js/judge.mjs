// The npm package ccxt, unmodified, at the service of the judge: calls come as JSON lines, answers go as JSON lines.
//
//   {"id", "account", "method", "args"}           one call: {"id", "answer"} or {"id", "error": {"names", "message"}}
//   {"id", "account", "method", "args", "pump"}   the same call again and again, an answer each time, until {"id", "stop"}
//   {"id", "account", "kept"}                      what the exchange object keeps under a name: {"id", "answer"}
//
// argv[2]: JSON of "lines", the lines that users are told (`planar venue ca --for ccxt-js`), and of "keys" by account.

import { createInterface } from 'node:readline';
import ccxt from 'ccxt';

const task = JSON.parse (process.argv[2]);
const AsyncFunction = (async () => {}).constructor;
const make = new AsyncFunction ('ccxt', task.lines + '\nreturn exchange;');
const exchanges = {};
const stopped = new Set ();

for (const [ account, keys ] of Object.entries (task.keys)) {
    exchanges[account] = await make (ccxt);
    Object.assign (exchanges[account], keys);
}

// what is undefined here is null there; what CCXT keeps for itself stays here
const write = (line) => process.stdout.write (JSON.stringify (line, (_, value) => (value === undefined ? null : value)) + '\n');

const failure = (error) => {
    const names = [];
    for (let one = Object.getPrototypeOf (error); one !== null; one = Object.getPrototypeOf (one)) {
        names.push (one.constructor.name);
    }
    return { names, 'message': String (error.message ?? error) };
};

const answer = async ({ id, account, method, args, pump }) => {
    try {
        do {
            write ({ id, 'answer': await exchanges[account][method] (...args.map ((one) => one ?? undefined)) });
        } while (pump && !stopped.has (id));
    } catch (error) {
        write ({ id, 'error': failure (error) });
    }
};

write ({ 'ready': true });
for await (const line of createInterface ({ 'input': process.stdin })) {
    const request = JSON.parse (line);
    if (request.stop) {
        stopped.add (request.id);
    } else if (request.kept) {
        write ({ 'id': request.id, 'answer': exchanges[request.account][request.kept] });
    } else {
        answer (request);
    }
}
process.exit (0);
