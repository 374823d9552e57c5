/** What the hub has done since it started. */
export class HubCounters {
  connections = 0;
  framesIn = 0;
  errorsSent = 0;
  authFailures = 0;
  identifyTimeouts = 0;
  superseded = 0;
  silentDropped = 0;
  subscribersClosed = 0;
  batches = 0;
  messagesStored = 0;
  duplicates = 0;
  quarantined = 0;
  gaps = 0;
  resyncs = 0;
  storeFailures = 0;
}
