package main

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// rule is a limit on the values of one argument, as the real provider or the service has it. Schemas do not carry such
// limits. A path goes through blocks of any number: "push_config.oidc_token.audience".
type rule struct {
	path     string
	oneOf    []string
	min, max int64 // for numbers, when max is not 0
}

// rulesOf are the limits by provider and resource type, as far as the modules' safety hangs on the values. Sources: the
// google provider's documentation of 6.50.0 and the reference of each service's API, 2026-11. azurerm's own limits are
// checked by azurerm, where a test finds it.
var rulesOf = map[string]map[string][]rule{
	"google": {
		"google_storage_bucket": {
			{path: "public_access_prevention", oneOf: []string{"enforced", "inherited"}},
			{path: "storage_class", oneOf: []string{"STANDARD", "MULTI_REGIONAL", "REGIONAL", "NEARLINE", "COLDLINE", "ARCHIVE"}},
			{path: "lifecycle_rule.action.type", oneOf: []string{"Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"}},
			{path: "lifecycle_rule.condition.age", min: 1, max: 36500},
			{path: "lifecycle_rule.condition.with_state", oneOf: []string{"LIVE", "ARCHIVED", "ANY"}},
			{path: "retention_policy.retention_period", min: 1, max: 3155760000},
			{path: "soft_delete_policy.retention_duration_seconds", min: 0, max: 7776000},
		},
		"google_storage_notification": {
			{path: "payload_format", oneOf: []string{"JSON_API_V1", "NONE"}},
			{path: "event_types", oneOf: []string{"OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE"}},
		},
		"google_pubsub_subscription": {
			{path: "ack_deadline_seconds", min: 10, max: 600},
			{path: "dead_letter_policy.max_delivery_attempts", min: 5, max: 100},
		},
		"google_cloudfunctions2_function": {
			{path: "service_config.ingress_settings", oneOf: []string{"ALLOW_ALL", "ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB"}},
			{path: "service_config.vpc_connector_egress_settings", oneOf: []string{"ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"}},
			{path: "service_config.timeout_seconds", min: 1, max: 3600},
			{path: "event_trigger.retry_policy", oneOf: []string{"RETRY_POLICY_RETRY", "RETRY_POLICY_DO_NOT_RETRY"}},
		},
		"google_project_iam_custom_role": {
			{path: "stage", oneOf: []string{"ALPHA", "BETA", "GA", "DEPRECATED", "DISABLED", "EAP"}},
		},
		"google_logging_metric": {
			{path: "metric_descriptor.metric_kind", oneOf: []string{"DELTA", "GAUGE", "CUMULATIVE"}},
			{path: "metric_descriptor.value_type", oneOf: []string{"BOOL", "INT64", "DOUBLE", "STRING", "DISTRIBUTION", "MONEY"}},
			{path: "metric_descriptor.labels.value_type", oneOf: []string{"BOOL", "INT64", "STRING"}},
		},
		"google_logging_project_bucket_config": {
			{path: "retention_days", min: 1, max: 3650},
		},
		"google_monitoring_alert_policy": {
			{path: "combiner", oneOf: []string{"AND", "OR", "AND_WITH_MATCHING_RESOURCE"}},
			{path: "severity", oneOf: []string{"CRITICAL", "ERROR", "WARNING"}},
			{path: "conditions.condition_threshold.comparison", oneOf: []string{"COMPARISON_GT", "COMPARISON_LT"}},
			{path: "conditions.condition_threshold.evaluation_missing_data", oneOf: []string{"EVALUATION_MISSING_DATA_INACTIVE",
				"EVALUATION_MISSING_DATA_ACTIVE", "EVALUATION_MISSING_DATA_NO_OP"}},
			{path: "conditions.condition_threshold.aggregations.per_series_aligner", oneOf: aligners},
			{path: "conditions.condition_threshold.aggregations.cross_series_reducer", oneOf: reducers},
		},
	},
}

var (
	aligners = []string{"ALIGN_NONE", "ALIGN_DELTA", "ALIGN_RATE", "ALIGN_INTERPOLATE", "ALIGN_NEXT_OLDER", "ALIGN_MIN",
		"ALIGN_MAX", "ALIGN_MEAN", "ALIGN_COUNT", "ALIGN_SUM", "ALIGN_STDDEV", "ALIGN_COUNT_TRUE", "ALIGN_COUNT_FALSE",
		"ALIGN_FRACTION_TRUE", "ALIGN_PERCENTILE_99", "ALIGN_PERCENTILE_95", "ALIGN_PERCENTILE_50", "ALIGN_PERCENTILE_05", "ALIGN_PERCENT_CHANGE"}
	reducers = []string{"REDUCE_NONE", "REDUCE_MEAN", "REDUCE_MIN", "REDUCE_MAX", "REDUCE_SUM", "REDUCE_STDDEV", "REDUCE_COUNT",
		"REDUCE_COUNT_TRUE", "REDUCE_COUNT_FALSE", "REDUCE_FRACTION_TRUE", "REDUCE_PERCENTILE_99", "REDUCE_PERCENTILE_95",
		"REDUCE_PERCENTILE_50", "REDUCE_PERCENTILE_05"}
)

// check reports every known value at the rule's path that is outside its limit.
func (r rule) check(config tftypes.Value) []*tfprotov5.Diagnostic {
	var out []*tfprotov5.Diagnostic
	for _, v := range valuesAt(config, strings.Split(r.path, ".")) {
		if problem := r.problem(v); problem != "" {
			out = append(out, &tfprotov5.Diagnostic{Severity: tfprotov5.DiagnosticSeverityError,
				Summary: "invalid " + r.path, Detail: problem})
		}
	}
	return out
}

func (r rule) problem(v tftypes.Value) string {
	switch {
	case v.Type().Is(tftypes.String):
		var s string
		if v.As(&s) == nil && r.oneOf != nil && !slices.Contains(r.oneOf, s) {
			return fmt.Sprintf("%q is none of %s", s, strings.Join(r.oneOf, ", "))
		}
	case v.Type().Is(tftypes.Number):
		var n big.Float
		if v.As(&n) == nil && r.max != 0 && (n.Cmp(big.NewFloat(float64(r.min))) < 0 || n.Cmp(big.NewFloat(float64(r.max))) > 0) {
			return fmt.Sprintf("%s is not between %d and %d", n.String(), r.min, r.max)
		}
	}
	return ""
}

// valuesAt walks down the path, into every element of lists and sets on the way, and yields what is known at its end.
func valuesAt(v tftypes.Value, path []string) []tftypes.Value {
	if v.IsNull() || !v.IsKnown() {
		return nil
	}
	var out []tftypes.Value
	var elements []tftypes.Value
	if v.Type().Is(tftypes.List{}) || v.Type().Is(tftypes.Set{}) {
		if v.As(&elements) != nil {
			return nil
		}
		for _, e := range elements {
			out = append(out, valuesAt(e, path)...)
		}
		return out
	}
	if len(path) == 0 {
		return []tftypes.Value{v}
	}
	var fields map[string]tftypes.Value
	if v.As(&fields) != nil {
		return nil
	}
	return valuesAt(fields[path[0]], path[1:])
}
