import { parquetWriteBuffer } from "hyparquet-writer";
import type { Columns, ColumnType } from "../schema.ts";

const PARQUET_TYPES = { TEXT: "STRING", INTEGER: "INT64", REAL: "DOUBLE" } as const satisfies Record<
  ColumnType,
  string
>;

/**
 * Writes records as a Parquet file, compressed by Snappy. Every column may hold null.
 *
 * @example
 * ```ts
 * import { parquetOf } from "./parquet.ts";
 *
 * const columns = { name: "TEXT", tpot_s: "REAL" } as const;
 * const bytes = parquetOf({ columns, records: [{ name: "baseline", tpot_s: 0.004 }] });
 * console.log(new TextDecoder().decode(bytes.subarray(0, 4))); // PAR1
 * ```
 *
 * @param table Columns with their types, and the records.
 * @returns The file's bytes.
 */
export function parquetOf({ columns, records }: {
  readonly columns: Columns;
  readonly records: readonly Readonly<Record<string, string | number | null>>[];
}): Uint8Array<ArrayBuffer> {
  const buffer = parquetWriteBuffer({
    createdBy: "kvcompress",
    columnData: Object.entries(columns).map(([name, type]) => ({
      name,
      type: PARQUET_TYPES[type],
      nullable: true,
      data: records.map((record) => {
        const value = record[name] ?? null;
        return type === "INTEGER" && value !== null ? BigInt(value) : value;
      }),
    })),
  });
  return new Uint8Array(buffer);
}
