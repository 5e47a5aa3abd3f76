/** Views over what JSON artifacts hold, where people ask for rows: by the artifact type they rest on. */
export const derivedViews: readonly { readonly name: string; readonly over: string; readonly sql: string }[] = [
  {
    name: 'qaFindings',
    over: 'qa',
    sql: `select value->>'$.symbol' as symbol, finding.*, node
      from (
        select node, value, unnest(from_json(json_extract(value, '$.days[*].findings[*]')::json,
          '[{"kind":"VARCHAR","fromMs":"BIGINT","toMs":"BIGINT","knownAtMs":"BIGINT","bars":"BIGINT","worst":"DOUBLE"}]')) as finding
        from qa
      )`,
  },
  {
    name: 'auditFindings',
    over: 'audit',
    sql: `select value->>'$.artifactType' as artifactType, value->>'$.partition' as partition,
        value->>'$.verdict' as verdict, finding.*, node
      from (
        select node, value, unnest(from_json(value->'$.findings',
          '[{"kind":"VARCHAR","severity":"VARCHAR","what":"VARCHAR","file":"VARCHAR","line":"BIGINT","column":"VARCHAR","byteOffset":"BIGINT","fromTsMs":"BIGINT","toTsMs":"BIGINT","rows":"BIGINT"}]')) as finding
        from audit
      )`,
  },
]
