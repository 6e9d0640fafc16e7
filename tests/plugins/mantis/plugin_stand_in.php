<?php
# Stands in for MantisBT, as far as a plugin sees it: the base class, the settings, the events.
# Usage: php plugin_stand_in.php <the plugin's file> <address of the hub> <secret>

abstract class MantisPlugin {
	public $name, $description, $version, $requires, $author;

	abstract public function register();
}

$g_settings = array();

function plugin_config_get( $p_option ) {
	global $g_settings;
	return $g_settings[$p_option];
}

function auth_get_current_user_id() {
	return '3';
}

require $argv[1];

$t_plugin = new TicketHubPlugin();
$t_plugin->register();
if( $t_plugin->name == '' || $t_plugin->version == '' ) {
	exit( 1 );
}
$g_settings = array_merge( $t_plugin->config(), array( 'url' => $argv[2], 'secret' => $argv[3] ) );

$t_issue = new stdClass();
$t_issue->id = 12;
# With the parameters of MantisBT's own event_signal calls.
$t_signals = array(
	'EVENT_REPORT_BUG' => array( new stdClass(), 11 ),
	'EVENT_UPDATE_BUG' => array( new stdClass(), $t_issue ),
	'EVENT_BUG_ACTION' => array( 'CLOSE', 13 ),
	'EVENT_BUG_DELETED' => array( 14 ),
	'EVENT_TAG_ATTACHED' => array( 15, array( 1, 2 ) ),
	'EVENT_TAG_DETACHED' => array( 16, array( 1 ) ),
	'EVENT_BUGNOTE_ADD' => array( 17, 71, array() ),
	'EVENT_BUGNOTE_EDIT' => array( 18, 81 ),
	'EVENT_BUGNOTE_DELETED' => array( 19, 91 ),
);
$t_hooks = $t_plugin->hooks();
foreach( $t_signals as $t_event => $t_parameters ) {
	call_user_func_array( array( $t_plugin, $t_hooks[$t_event] ), array_merge( array( $t_event ), $t_parameters ) );
}
echo "the page\n";
