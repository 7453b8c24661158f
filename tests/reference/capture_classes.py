"""Every recorded request in a class: replayed by a test, or of an area that is not served yet.

`REPLAYED` names the test module of a request, `LATER` the area that it belongs to, by release.
"""

Names = dict[str, str]
"""Names of requests, between spaces, by test module or area."""

REPLAYED: dict[str, Names] = {
    "4.2.3": {
        "test_api_access": """
        idx_access idx_config_access domains users users_tokens user_test user_tokens user_token acl acl_path
        roles permissions_self permissions_reader permissions_path permissions_token config_access_pam
        config_access_pbs ticket ticket_extjs ticket_json_body ticket_http_only ticket_badpw
        ticket_badpw_http_only ticket_baduser ticket_disabled ticket_badrealm ticket_norealm ticket_nopw
        ticket_extra ticket_get ticket_badpw_extjs ticket_privcheck ticket_privcheck_fail ticket_token
        ticket_renew_http_only ticket_renew_http_only_pw logout_http_only ticket_renew_as_password
        logout_legacy token_forbidden token_badsecret token_unknown e401_noauth e401_extjs e401_unknown_path
        e401_post domains_noauth e401_badcookie e401_garbage e403_users reader_passwd reader_permissions
        e400_user_exists e400_user_bad e400_pw_short e400_acl_role e400_acl_path e400_acl_user e400_acl_nouser
        tfa user_tfa
    """,
        "test_api_answers": """
        ping snapshots snapshots_group snapshots_type snapshots_ns groups groups_ns groups_ns_empty
        files_split_g2 files_enc files_ns namespaces namespaces_parent namespaces_depth ds_status_verbose
        e_api2 reader_datastores reader_snapshots nobody_datastores nobody_snapshots nobody_status e404_path
        e404_sub e404_sub2 e404_extjs e404_format e404_static e400_missing e400_extra e400_pattern
        e400_store_name e400_store_bad e400_nostore e400_dup e400_encoded e_backup_noupgrade
        e_reader_noupgrade
    """,
        "test_api_archives": """
        catalog_legacy_root catalog_split_noarchive catalog_split_root catalog_split_small catalog_split_kinds
        catalog_split_nodir catalog_enc catalog_badb64 pxar_file pxar_dir_zip pxar_dir_zip_small
        pxar_dir_zip_kinds pxar_root_zip pxar_dir_tar pxar_oldpath pxar_link
    """,
        "test_api_content": """
        group_notes_put files_missing active_operations group_notes notes notes_none protected e403_delete
        reader_files reader_protect e400_nogroup e400_nosnap e400_ns_depth e400_ns_exists e400_ns_bad
        e400_ns_noparent e_delete_protected e_delete_nosnap e_delete_nogroup e_delete_ns_nonempty
        e_delete_ns_missing s_snapshots s_status s_delete_snapshot s_protect s_delete_group_protected_err
        s_delete_group_protected_ok s_delete_group s_delete_group_extjs s_groups_after s_move_group
        s_move_group_merge s_move_group_nomerge s_move_group_same s_move_group_nons s_move_group_missing
        s_move_group_notarget s_move_group_overlap s_groups_c s_move_ns_self s_move_ns_nodest s_move_ns_root
        s_move_ns s_namespaces s_delete_ns_nogroups s_delete_ns_groups s_namespaces2 active_operations_writing
        s_delete_running s_snapshots_running
    """,
        "test_api_datastore_config": """
        admin_datastore config_datastore config_datastore_fix42 status_usage e403_config reader_extjs403
        nobody_usage e400_nostore_cfg e400_digest e400_ds_exists e400_ds_relpath mm_readonly_list
        mm_readonly_groups mm_readonly_status mm_readonly_delete mm_readonly_usage mm_readonly_config
        mm_offline_list mm_offline_groups mm_offline_status mm_offline_delete mm_offline_usage
        mm_offline_config mm_none_groups ds_delete_config ds_after_delete
    """,
        "test_api_downloads": """
        dl_index dl_didx dl_missing dld_index dld_mpxar dld_img dld_enc
    """,
        "test_api_front": """
        e_head e_options e400_path_dots
    """,
        "test_api_prune": """
        prune_dry prune_nokeep prune_datastore_dry
    """,
        "test_api_replays": """
        node_identity node_by_name nobody_identity
        status_empty snapshots_empty groups_empty version version_extjs root root_noslash idx_admin idx_config
        idx_nodes idx_nodes_localhost idx_status ds_index snapshots_ns_missing ds_status task_idx
        version_host_cookie version_after_logout version_urlenc_cookie version_hostcookie_full token_version
        token_snapshots token_space ping_noauth ping_post_noauth e_nocsrf e_badcsrf reader_groups e403_store
        e403_ns_list reader_usage nobody_version e_method e_method_delete e404_api_backup e400_type e400_neg
        e400_enum e400_bool e400_two e400_two_extjs e400_json_bad e400_json_array e400_ctype e400_path_empty
        path_trailing_slash notes_200k_copy_store e_backup_v2 e_backup_notowner e_backup_exists_notowner
        e_backup_older e_backup_exists e_reader_missing reader_upgrade tasks_running_backup
        tasks_errors_after_abort bad_snapshots bad_snapshots_end tasks_all_end
    """,
        "test_api_tasks": """
        tasks tasks_all tasks_start tasks_type tasks_store tasks_errors tasks_status tasks_user tasks_running
        tasks_since task_status task_log task_log_paged task_log_past task_log_test task_log_download
        task_log_download0 task_stop_done task_missing task_bad reader_tasks e403_task nobody_tasks
    """,
    },
    "3.2.4": {
        "test_api_archives": """
        catalog_root catalog_tree
    """,
        "test_api_access": """
        access_users access_users_tokens access_users_test access_users_test_token access_acl access_roles
        access_permissions access_permissions_path access_domains access_tfa
    """,
        "test_api_replays_324": """
        version root ping admin_datastore admin_datastore_fix snapshots snapshots_enc snapshots_ns groups
        files_enc status status_verbose namespace active_operations notes group_notes protected
        config_datastore config_datastore_fix access nodes nodes_localhost status_root datastore_usage config
        err_nonexistent err_nostore err_missing_param err_extra_param err_nosnap
    """,
        "test_api_tasks_324": """
        nodes_tasks nodes_tasks_filter task_status task_log
    """,
    },
}
LATER: dict[str, Names] = {
    "4.2.3": {
        "certificates by ACME": """
        idx_config_acme config_acme_account config_acme_plugins config_acme_directories config_acme_tos
        config_acme_challenge-schema
    """,
        "external realms": """
        config_access_ldap config_access_ad config_access_openid
    """,
        "garbage collection": """
        gc_never admin_gc_never gc_status admin_gc admin_gc_fix42 token_post_nocsrf e403_gc bad_gc
        mm_readonly_gc mm_offline_gc
    """,
        "metrics": """
        idx_config_metrics ds_rrd admin_metrics config_metrics_influxdb-http config_metrics_influxdb-udp
        node_rrd status_metrics status_metrics_history status_metrics_start reader_metrics
    """,
        "notifications": """
        idx_config_notifications idx_config_notifications_endpoints config_notifications_targets
        config_notifications_matchers config_notifications_matchers_default-matcher
        config_notifications_endpoints_sendmail config_notifications_endpoints_gotify
        config_notifications_endpoints_smtp config_notifications_endpoints_webhook
        config_notifications_matcher-fields config_notifications_matcher-field-values
    """,
        "object storage": """
        admin_s3 config_s3
    """,
        "scheduled jobs": """
        admin_prune admin_verify admin_verify_store_fix42 config_verify config_verify_v-daily config_prune
        config_prune_prune-1
    """,
        "second factors and terminals": """
        config_access_tfa config_access_tfa_webauthn
    """,
        "sync, remotes and encryption keys of the server": """
        encryption_keys_create admin_sync admin_sync_sync-direction_all admin_sync_sync-direction_push
        admin_sync_store_copy config_sync config_sync_sync-direction_all config_sync_pull-local
        config_sync_push-enc config_remote config_remote_self config_remote_self_scan
        config_remote_self_scan_fix42_groups config_remote_self_scan_fix42_namespaces config_encryption-keys
        config_encryption-keys_include-archived_1 reader_config_remote
    """,
        "tape": """
        idx_tape idx_config_tape-encryption-keys config_media-pool config_drive config_changer
        config_tape-backup-job
    """,
        "the node": """
        idx_nodes_localhost_apt idx_nodes_localhost_disks idx_nodes_localhost_certificates node_status
        node_time node_dns node_config node_cert node_sub node_services
        node_service node_network node_journal node_syslog node_apt_versions node_apt_update node_apt_repos
        node_disks node_disks_dir node_report e403_node nobody_nodestatus
    """,
        "the web interface": """
        e_html_root html_root
    """,
        "traffic control": """
        admin_traffic-control config_traffic-control config_traffic-control_tc1
    """,
    },
    "3.2.4": {
        "garbage collection": """
        gc
    """,
        "metrics": """
        rrd config_metrics
    """,
        "notifications": """
        config_notifications
    """,
        "scheduled jobs": """
        config_verify config_prune admin_verify admin_prune
    """,
        "sync, remotes and encryption keys of the server": """
        config_remote config_sync admin_sync
    """,
        "tape": """
        tape
    """,
        "the node": """
        nodes_status nodes_time nodes_dns nodes_config nodes_certificates nodes_subscription
    """,
        "traffic control": """
        config_traffic
    """,
    },
}
DEFECTS_OF_THE_ORIGINAL = {"4.2.3": {"mm_put_api"}, "3.2.4": set[str]()}
"""It refuses a maintenance message with a comma, even a quoted one; ours takes and stores it escaped."""
