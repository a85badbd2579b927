// Makes schemas/google-VERSION.json.gz, a part of the google provider's schema, from the npm package
// @cdktf/provider-google, whose JavaScript is generated from that schema and says all of it but the value rules:
//
//	npm pack @cdktf/provider-google@16.12.1
//	tar -xzf cdktf-provider-google-16.12.1.tgz
//	node google.mjs package
//
// The output has the shape of `terraform providers schema -json`.
import fs from 'fs'
import path from 'path'
import zlib from 'zlib'

const address = 'registry.terraform.io/hashicorp/google'
const version = '6.50.0'

// The folders of the package's lib: the types that the module and its examples use.
const types = `
provider
access-context-manager-service-perimeter
cloud-run-v2-service-iam-member
cloud-scheduler-job
cloudfunctions2-function
compute-address
compute-firewall
compute-global-address
compute-global-forwarding-rule
compute-network
compute-subnetwork
data-google-project
data-google-storage-project-service-account
dns-managed-zone
dns-record-set
kms-crypto-key
kms-crypto-key-iam-member
kms-key-ring
logging-metric
logging-project-bucket-config
logging-project-sink
monitoring-alert-policy
monitoring-dashboard
monitoring-notification-channel
project-iam-custom-role
project-iam-member
project-service
pubsub-subscription
pubsub-subscription-iam-member
pubsub-topic
pubsub-topic-iam-member
service-account
service-account-iam-member
storage-bucket
storage-bucket-iam-member
storage-bucket-iam-policy
storage-bucket-object
storage-notification
`.trim().split('\n')

const primitive = { string: 'string', boolean: 'bool', number: 'number' }

// table reads the list of attributes in a generated toHclTerraform function: what is a block, and its type.
function table (text) {
  const rows = {}
  for (const [, name, isBlock, type, storage] of text.matchAll(
    /(\w+): \{\s+value: [^\n]+\n\s+isBlock: (true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "(\w+)"/g)) {
    rows[name] = { isBlock: isBlock === 'true', type, storage }
  }
  return rows
}

// read takes the classes of one generated file, and the tables of its structs by the lower-case name of the struct.
function read (file) {
  const text = fs.readFileSync(file, 'utf8')
  const classes = {}
  for (const [, name, base, body] of text.matchAll(/^class (\w+) extends cdktf\.(\w+) \{\n([\s\S]*?)^\}\n/gm)) {
    classes[name] = { base, body, top: /^Terraform(Resource|DataSource|Provider)$/.test(base) }
    if (classes[name].top) classes[name].rows = table(body.slice(body.indexOf('synthesizeHclAttributes')))
  }
  const structs = {}
  for (const [, name, body] of text.matchAll(/^function (\w+)ToHclTerraform\(struct\) \{([\s\S]*?)^\}\n/gm)) {
    structs[name.toLowerCase()] = table(body)
  }
  return { classes, structs, type: /\.tfResourceType = "([^"]+)"/.exec(text)?.[1] }
}

// attributes finds a class's attributes with their flags, and the code of each one's getter. Computed attributes have a
// comment with the flags; others are optional if they can be reset.
function attributes (cls, rows) {
  const found = {}
  const comment = /\/\/ (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n/g
  for (const m of cls.body.matchAll(comment)) {
    found[m[1]] = { computed: m[2] === 'true', optional: m[3] === 'true', required: m[4] === 'true', code: cls.body.slice(m.index + m[0].length) }
  }
  const resets = new Set([...cls.body.matchAll(/^ {4}reset(\w+)\(\)/gm)].map(m => m[1].toLowerCase().replace(/_/g, '')))
  for (const name of Object.keys(rows)) {
    if (found[name]) continue
    const optional = resets.has(name.replace(/_/g, '')) || cls.base === 'TerraformProvider'
    const made = cls.body.search(new RegExp(`new \\w+\\(this, "${name}"`))
    found[name] = { computed: name === 'id' && cls.top, optional, required: !optional, code: made < 0 ? '' : cls.body.slice(made, made + 200) }
  }
  for (const a of Object.values(found)) a.code = getter(a.code)
  return found
}

// getter is the first field or getter of the code.
function getter (code) {
  const lines = code.split('\n')
  if (/^\s+this\._|^new |^\s+_?\w+ = new /.test(lines[0])) return lines[0]
  const end = lines.findIndex(l => /^ {4}\}/.test(l))
  return lines.slice(0, Math.max(1, end)).join('\n')
}

const simple = row => row.type === 'simple' ? primitive[row.storage] : [row.type, primitive[row.storage.replace(/(List|Map)$/, '')]]

function computedType (code, where) {
  const returned = /return (.*);/.exec(code)?.[1] ?? ''
  if (/StringMap/.test(code)) return ['map', 'string']
  if (/BooleanMap/.test(code)) return ['map', 'bool']
  if (/NumberMap/.test(code)) return ['map', 'number']
  if (/tolist\(this\.getNumberList/.test(returned)) return ['set', 'number']
  if (/tolist\(this\.getList/.test(returned)) return ['set', 'string']
  if (/getNumberListAttribute/.test(returned)) return ['list', 'number']
  if (/getListAttribute/.test(returned)) return ['list', 'string']
  if (/getStringAttribute/.test(returned)) return 'string'
  if (/getNumberAttribute/.test(returned)) return 'number'
  if (/getBooleanAttribute/.test(returned)) return 'bool'
  throw new Error(`${where}: no type in ${code}`)
}

function block (file, name) {
  const cls = file.classes[name]
  if (!cls) throw new Error(`no class ${name}`)
  const rows = cls.top ? cls.rows : file.structs[name.replace(/OutputReference$/, '').toLowerCase()] ?? {}
  const out = { attributes: {}, block_types: {} }
  for (const [attribute, a] of Object.entries(attributes(cls, rows))) {
    const row = rows[attribute]
    const flags = Object.fromEntries(['required', 'optional', 'computed'].filter(f => a[f]).map(f => [f, true]))
    const made = new RegExp(`new (\\w+)\\(this, "${attribute}"(?:, (true|false))?`).exec(a.code)
    const nested = made && file.classes[made[1]]
    if (nested) {
      const isList = /List$/.test(nested.base)
      const inner = block(file, isList ? made[1].replace(/List$/, '') + 'OutputReference' : made[1])
      if (!row?.isBlock) {
        out.attributes[attribute] = { type: [made[2] === 'true' ? 'set' : 'list', object(inner)], ...flags }
        continue
      }
      const single = row.type === 'struct' && !isList
      const nesting = single ? 'single' : made[2] === 'true' || row.type === 'set' ? 'set' : 'list'
      out.block_types[attribute] = { nesting_mode: nesting, block: inner, ...(!isList && !single && { max_items: 1 }), ...(a.required && { min_items: 1 }) }
    } else if (row?.isBlock) { // the provider's own blocks have no class
      const inner = Object.entries(file.structs[row.storage.replace(/List$/, '').toLowerCase()] ?? {}).filter(([, r]) => !r.isBlock)
      out.block_types[attribute] = { nesting_mode: 'list', block: { attributes: Object.fromEntries(inner.map(([k, r]) => [k, { type: simple(r), optional: true }])) } }
    } else {
      out.attributes[attribute] = { type: row ? simple(row) : computedType(a.code, `${name}.${attribute}`), ...flags }
    }
  }
  return out
}

function object (b) {
  const fields = {}
  for (const [k, v] of Object.entries(b.attributes)) fields[k] = v.type
  for (const [k, v] of Object.entries(b.block_types)) fields[k] = [v.nesting_mode, object(v.block)]
  return ['object', fields]
}

const schema = { resource_schemas: {}, data_source_schemas: {} }
for (const type of types) {
  const file = read(path.join(process.argv[2], 'lib', type, 'index.js'))
  const [name, cls] = Object.entries(file.classes).find(([, c]) => c.top)
  const made = { version: 0, block: block(file, name) }
  if (cls.base === 'TerraformProvider') schema.provider = made
  else schema[cls.base === 'TerraformDataSource' ? 'data_source_schemas' : 'resource_schemas'][file.type] = made
}
const text = JSON.stringify({ format_version: '1.0', provider_schemas: { [address]: schema } })
const out = new URL(`schemas/google-${version}.json.gz`, import.meta.url)
fs.writeFileSync(out, zlib.gzipSync(text, { level: 9 }))
console.log(`${text.length} bytes of schema, ${types.length - 1} types`)
