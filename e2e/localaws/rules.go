package localaws

// defaultRules is who may do what on the two buckets, as the design asks for it: the host creates and never replaces,
// the finalizer seals, nobody deletes in the vault. server may be "*".
func defaultRules(vault, staging, prefix, server string) []Statement {
	root := prefix
	if root != "" {
		root += "/"
	}
	v, s := "arn:aws:s3:::"+vault, "arn:aws:s3:::"+staging
	own := v + "/" + root + server + "/*"
	seal := v + "/" + root + "*/base/*/backup.info"
	anySeal := v + "/*/backup.info"
	keep := v + "/" + root + "*/base/*/annotations/keep"
	staged := s + "/" + root
	operator, breakglass := Identity{Name: operatorName}.ARN(), Identity{Name: breakglassName}.ARN()

	settings := []string{"s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration"}
	list := append([]string{"s3:ListBucket"}, settings...)
	except := func(arns ...string) map[string]map[string][]string {
		return map[string]map[string][]string{"ArnNotLike": {"aws:PrincipalArn": arns}}
	}

	return []Statement{
		// The host.
		{Sid: "HostCreatesItsServer", Effect: Allow, Principal: []string{hostName},
			Actions:   []string{"s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"},
			Resources: []string{own}},
		{Sid: "HostReadsItsServer", Effect: Allow, Principal: []string{hostName},
			Actions: []string{"s3:GetObject", "s3:GetObjectVersion"}, Resources: []string{own}},
		{Sid: "HostLists", Effect: Allow, Principal: []string{hostName}, Actions: list, Resources: []string{v, s}},
		{Sid: "HostStages", Effect: Allow, Principal: []string{hostName},
			Actions: []string{"s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"},
			Resources: []string{staged + server + "/*", staged + "_pgseal/progress/" + server + "/*",
				staged + "_pgseal/complete/" + server + "/*"}},
		{Sid: "HostReadsStaging", Effect: Allow, Principal: []string{hostName},
			Actions: []string{"s3:GetObject"}, Resources: []string{s + "/*"}},
		{Sid: "HostGivesNoVerdict", Effect: Deny, Principal: []string{hostName},
			Actions: []string{"s3:PutObject"}, Resources: []string{s + "/*_pgseal/verdict/*", s + "/*_pgseal/sweep/*"}},

		// The finalizer.
		{Sid: "FinalizerSeals", Effect: Allow, Principal: []string{finalizerName},
			Actions: []string{"s3:PutObject", "s3:PutObjectRetention"}, Resources: []string{seal}},
		{Sid: "FinalizerReadsVault", Effect: Allow, Principal: []string{finalizerName},
			Actions: []string{"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes",
				"s3:GetObjectRetention", "s3:GetObjectLegalHold"},
			Resources: []string{v + "/" + root + "*"}},
		{Sid: "FinalizerEndsAbandonedUploads", Effect: Allow, Principal: []string{finalizerName},
			Actions: []string{"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}, Resources: []string{v + "/" + root + "*"}},
		{Sid: "FinalizerLists", Effect: Allow, Principal: []string{finalizerName},
			Actions:   append([]string{"s3:ListBucketVersions", "s3:ListBucketMultipartUploads"}, list...),
			Resources: []string{v, s}},
		{Sid: "FinalizerReadsStaging", Effect: Allow, Principal: []string{finalizerName},
			Actions: []string{"s3:GetObject"}, Resources: []string{staged + "*"}},
		{Sid: "FinalizerGivesVerdicts", Effect: Allow, Principal: []string{finalizerName},
			Actions: []string{"s3:PutObject"}, Resources: []string{staged + "_pgseal/verdict/*", staged + "_pgseal/sweep/*"}},

		// Those who restore, and those who look after backups.
		{Sid: "RestoreReads", Effect: Allow, Principal: []string{restoreName, operatorName},
			Actions:   []string{"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention", "s3:GetObjectLegalHold"},
			Resources: []string{v + "/*", s + "/*"}},
		{Sid: "RestoreLists", Effect: Allow, Principal: []string{restoreName, operatorName},
			Actions: append([]string{"s3:ListBucketVersions"}, list...), Resources: []string{v, s}},
		{Sid: "OperatorKeeps", Effect: Allow, Principal: []string{operatorName},
			Actions: []string{"s3:PutObject", "s3:DeleteObject"}, Resources: []string{keep}},

		// Breaks things on purpose, in tests.
		{Sid: "BreakglassDoesAnything", Effect: Allow, Principal: []string{breakglassName}, Actions: []string{"s3:*"}, Resources: []string{"*"}},

		// The vault's own policy, which holds whatever the identities are allowed.
		{Sid: "OnlyTheFinalizerSeals", Effect: Deny, Actions: []string{"s3:PutObject"}, Resources: []string{anySeal},
			Conditions: except(Identity{Name: finalizerName}.ARN(), breakglass)},
		{Sid: "OnlyConditionalCreates", Effect: Deny, Actions: []string{"s3:PutObject"}, Resources: []string{v + "/*"},
			Conditions: map[string]map[string][]string{
				"Null":       {"s3:if-none-match": {"true"}},
				"Bool":       {"s3:ObjectCreationOperation": {"true"}},
				"ArnNotLike": {"aws:PrincipalArn": {operator, breakglass}},
			}},
		{Sid: "TheSealIsOnePut", Effect: Deny, Actions: []string{"s3:PutObject"}, Resources: []string{anySeal},
			Conditions: map[string]map[string][]string{
				"Bool":       {"s3:ObjectCreationOperation": {"false"}},
				"ArnNotLike": {"aws:PrincipalArn": {breakglass}},
			}},
		{Sid: "NobodyHides", Effect: Deny, Actions: []string{"s3:DeleteObject"}, Resources: []string{v + "/*"},
			Conditions: except(operator, breakglass)},
		{Sid: "NobodyDestroysOrUnlocks", Effect: Deny,
			Actions: []string{"s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:PutBucketObjectLockConfiguration",
				"s3:PutBucketVersioning", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutLifecycleConfiguration",
				"s3:DeleteBucket"},
			Resources: []string{v, v + "/*"}, Conditions: except(breakglass)},
	}
}

// hostRetentionRule lets the host send lock headers with what it creates (pgseal backup --retention). It carries the
// whole permission, as on AWS: s3:PutObjectRetention also extends the locks of objects that exist.
func hostRetentionRule(vault, prefix, server string) Statement {
	root := prefix
	if root != "" {
		root += "/"
	}
	return Statement{Sid: "HostSetsRetention", Effect: Allow, Principal: []string{hostName},
		Actions: []string{"s3:PutObjectRetention"}, Resources: []string{"arn:aws:s3:::" + vault + "/" + root + server + "/*"}}
}
