// Makes schemas/azurerm-VERSION.json.gz, a part of the azurerm provider's schema, from the whole of it:
//
//	terraform providers schema -json | node azurerm.mjs
//
// in a directory that has been initialised with the provider. (It was built from the Go module
// github.com/hashicorp/terraform-provider-azurerm at v1.44.1-0.20260824201233-fae580791926, a few days after 5.2.0.)
import fs from 'fs'
import zlib from 'zlib'

const address = 'registry.terraform.io/hashicorp/azurerm'
const version = '5.2.0'

const types = `
application_insights
application_insights_workbook
eventgrid_system_topic
eventgrid_system_topic_event_subscription
function_app_flex_consumption
log_analytics_workspace
monitor_action_group
monitor_diagnostic_setting
monitor_metric_alert
monitor_scheduled_query_rules_alert_v2
private_dns_zone
private_dns_zone_virtual_network_link
private_endpoint
resource_group
role_assignment
role_definition
service_plan
storage_account
storage_container
storage_container_immutability_policy
storage_management_policy
storage_queue
subnet
user_assigned_identity
virtual_network
`.trim().split('\n').map(t => 'azurerm_' + t)

const whole = JSON.parse(fs.readFileSync(0)).provider_schemas[address]
const part = { provider: whole.provider, resource_schemas: {}, data_source_schemas: {} }
for (const type of types) part.resource_schemas[type] = whole.resource_schemas[type]
// Descriptions are not looked at.
const text = JSON.stringify({ format_version: '1.0', provider_schemas: { [address]: part } },
  (key, value) => key.startsWith('description') && typeof value === 'string' ? undefined : value)
const out = new URL(`schemas/azurerm-${version}.json.gz`, import.meta.url)
fs.writeFileSync(out, zlib.gzipSync(text, { level: 9 }))
console.log(`${text.length} bytes of schema, ${types.length} types`)
