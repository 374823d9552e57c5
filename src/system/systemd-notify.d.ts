/** systemd-notify 1.0.0 brings no types; these are the options that it passes on to systemd-notify(1). */
declare module 'systemd-notify' {
  interface NotifyOptions {
    ready?: boolean;
    status?: string;
    /** Main process; the caller's own when left out. */
    pid?: number;
  }
  /** Rejects with an Error, or with the text that the command printed. */
  export default function notify(options: NotifyOptions): Promise<unknown>;
}
