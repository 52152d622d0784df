/** A mistake by path, before anybody knows where in the file that is. */
export interface Finding {
  path: readonly PropertyKey[];
  text: string;
  /** Is the key itself the mistake, whatever its value? */
  isKey?: boolean;
}
