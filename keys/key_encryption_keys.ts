import { createSecretKey } from 'node:crypto'
import { type FileHandle, link, mkdir, open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Random } from '../server/deps.ts'
import { KEK_ID, type KeyEncryptionKey } from './envelope.ts'
import { VaultError } from './vault_error.ts'

/**
 * The file that holds the key-encryption keys: one `kek_id:base64` a line, 32 bytes each. The first one encrypts, all
 * of them decrypt. Empty lines and lines that begin with `#` mean nothing.
 */

const KEY_BYTES = 32
const LONGEST_FILE_BYTES = 65_536

/** @returns the keys, the active one first; undefined when there is no file. */
export async function readKeyEncryptionKeys(path: string): Promise<KeyEncryptionKey[] | undefined> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw new VaultError(`The key-encryption key file ${path} cannot be read. Let the server's user read it.`, {
      cause: error,
    })
  }
  try {
    // The open file is examined, not the path: what was checked is what is read.
    const stats = await file.stat()
    if (!stats.isFile() || stats.size > LONGEST_FILE_BYTES) {
      throw new VaultError(`${path} is no key-encryption key file. Restore the file from your copy.`)
    }
    assertPrivate(path, stats.mode)
    return parseKeyEncryptionKeys(path, await file.readFile('utf8'))
  } finally {
    await file.close()
  }
}

/**
 * Makes the file with one new key. When another process makes it at the same time, the one that comes second keeps
 * away: the caller reads the file afterwards and has the winner's key.
 */
export async function createKeyEncryptionKeyFile(path: string, random: Random): Promise<void> {
  const kek_id = Buffer.from(random.bytes(4)).toString('hex')
  const temporary = `${path}.${Buffer.from(random.bytes(8)).toString('hex')}`
  const text = `# The key-encryption key. Without it the database and its backups are useless: keep a copy elsewhere.
${kek_id}:${Buffer.from(random.bytes(KEY_BYTES)).toString('base64')}
`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeDurably(temporary, text)
    try {
      await linkOnce(temporary, path)
    } finally {
      await unlink(temporary)
    }
    await syncDirectory(dirname(path))
  } catch (error) {
    throw new VaultError(
      `The key-encryption key file ${path} cannot be created. Let the server's user write to its directory, or put the file there yourself.`,
      { cause: error },
    )
  }
}

/** Unlike rename(2), link(2) never replaces a file that is there; unlike O_EXCL on the path, it never shows half a file. */
async function linkOnce(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows has no handle of a directory to sync.
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function assertPrivate(path: string, mode: number): void {
  // Windows guards files by access lists, which the mode does not show.
  if (process.platform === 'win32') return
  const permissions = mode & 0o777
  if (permissions === 0o600 || permissions === 0o400) return
  throw new VaultError(
    `The key-encryption key file ${path} has mode ${permissions.toString(8).padStart(4, '0')}; only its owner may read it. Run: chmod 600 ${path}`,
  )
}

function parseKeyEncryptionKeys(path: string, text: string): KeyEncryptionKey[] {
  const keys: KeyEncryptionKey[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const kek_id = line.slice(0, Math.max(colon, 0))
    const base64 = line.slice(colon + 1)
    const bytes = Buffer.from(base64, 'base64')
    if (!KEK_ID.test(kek_id) || bytes.length !== KEY_BYTES || bytes.toString('base64') !== base64) {
      throw new VaultError(
        `${path}, line ${index + 1}: expected kek_id:base64 with ${KEY_BYTES} bytes. Make one with: echo "$(openssl rand -hex 4):$(openssl rand -base64 ${KEY_BYTES})"`,
      )
    }
    if (keys.some((key) => key.kek_id === kek_id)) {
      throw new VaultError(`${path}, line ${index + 1}: the key id ${kek_id} occurs twice. Give each key its own.`)
    }
    keys.push({ kek_id, key: createSecretKey(bytes) })
  }
  if (keys.length === 0) throw new VaultError(`${path} holds no key. Restore it from your copy.`)
  return keys
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
