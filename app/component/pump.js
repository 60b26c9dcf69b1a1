// Requests to the server: patient when the connection breaks, and of slider positions only the latest counts.

const LONGEST_WAIT_MS = 4000;

function patience(failures) {
  return new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_WAIT_MS, 250 * 2 ** failures)));
}

// A server function that fails answers `undefined` or throws; both mean that nobody answered.
async function call(ask, request) {
  try {
    return await unpackAll(await ask(request));
  } catch {
    return undefined;
  }
}

// Ask until there is an answer or nobody wants it any more (then undefined).
async function insist(ask, request, isWanted, onConnection) {
  for (let failures = 1; isWanted(); failures++) {
    const answer = await call(ask, request);
    onConnection(answer !== undefined);
    if (answer !== undefined) return answer;
    await patience(failures);
  }
}

// One request under way, the newest waiting, those between dropped: the rate follows the line, the last value wins.
function createPump(ask, onAnswer, onConnection) {
  let busy = false;
  let waiting = null;

  async function run() {
    if (busy) return;
    busy = true;
    let failures = 0;
    while (waiting) {
      const request = waiting;
      waiting = null;
      const answer = await call(ask, request);
      onConnection(answer !== undefined);
      if (answer === undefined) {
        waiting = waiting || request;
        await patience(++failures);
      } else {
        failures = 0;
        onAnswer(answer, request);
      }
    }
    busy = false;
  }

  return (request) => {
    waiting = request;
    run();
  };
}
