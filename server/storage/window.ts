/** What a copy holds while nothing may be written to its source. */
export interface Window {
  /** Refuses every write from its end on, until `thaw`: for good, whoever writes. Ends the window. */
  freeze(): Promise<void>
  /** Ends the window without having changed anything. */
  release(): Promise<void>
}
