// Messages the server has not acknowledged, kept in IndexedDB until it has.
//
//   const journal = await openScormJournal(attempt);
//   for (const message of await journal.pending()) await transport.send(message);
//
// One database for the origin, which belongs to one enrolment; records are keyed by attempt and
// sequence number, so replaying one twice is as harmless as sending one twice.
(function (global) {
  "use strict";

  const STORE = "messages";

  const settled = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });

  async function openScormJournal(attempt, factory) {
    const opening = (factory || global.indexedDB).open("scorm-journal", 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(STORE, { keyPath: ["attempt", "seq"] });
    };
    const database = await settled(opening);
    // Another tab with a newer version of this script must not wait for this one.
    database.onversionchange = () => database.close();
    const store = (mode) => database.transaction(STORE, mode, { durability: "strict" }).objectStore(STORE);
    const range = global.IDBKeyRange;

    return {
      /** Keeps a message; resolves when it is on disk. */
      append: (message) =>
        new Promise((resolve, reject) => {
          const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
          transaction.oncomplete = () => resolve();
          transaction.onerror = transaction.onabort = () => reject(transaction.error);
          transaction.objectStore(STORE).put({ attempt, seq: message.seq, message });
        }),
      /** Forgets what the server acknowledged. */
      ack: (seq) => settled(store("readwrite").delete([attempt, seq])),
      /** What was never acknowledged, oldest first. */
      pending: async () => {
        const records = await settled(
          store("readonly").getAll(range.bound([attempt, 0], [attempt, Number.MAX_SAFE_INTEGER])),
        );
        return records.map((record) => record.message);
      },
      close: () => database.close(),
    };
  }

  global.openScormJournal = openScormJournal;
})(globalThis);
