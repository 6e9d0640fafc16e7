<?php
# Tells a ticket hub which issue changed, so that it need not wait for its next look.
#
# For MantisBT 2.26 and newer. Put this folder into MantisBT's folder `plugins`, install it under Manage > Plugins, and
# name the hub in config/config_inc.php:
#
#     $g_plugin_TicketHub_url = 'https://hub.example.com/webhooks/dev';
#     $g_plugin_TicketHub_secret = '...';   # the value of webhook.secret in the hub's settings
#
# It sends after the page has been answered, and never more than what is below: no titles, no texts.

class TicketHubPlugin extends MantisPlugin {
	# What is to be sent when the page is done: a list of bodies.
	private $waiting = array();
	private $url = '';
	private $secret = '';
	private $timeout = 0;

	public function register() {
		$this->name = 'Ticket hub';
		$this->description = 'Tells a ticket hub which issue changed.';
		$this->version = '1.0.0';
		$this->requires = array( 'MantisCore' => '2.26.0' );
		$this->author = 'Ticket hub';
	}

	public function config() {
		return array(
			'url' => '',
			'secret' => '',
			# Seconds that one message may take.
			'timeout' => 3,
		);
	}

	public function hooks() {
		return array(
			'EVENT_REPORT_BUG' => 'with_issue_last',
			'EVENT_UPDATE_BUG' => 'with_issue_last',
			'EVENT_BUG_ACTION' => 'with_issue_last',
			'EVENT_BUG_DELETED' => 'with_issue_first',
			'EVENT_TAG_ATTACHED' => 'with_issue_first',
			'EVENT_TAG_DETACHED' => 'with_issue_first',
			'EVENT_BUGNOTE_ADD' => 'with_note',
			'EVENT_BUGNOTE_EDIT' => 'with_note',
			'EVENT_BUGNOTE_DELETED' => 'with_note',
		);
	}

	public function with_issue_first( $p_event, $p_issue_id ) {
		$this->keep( $p_event, $p_issue_id, 0 );
	}

	# The issue's number, or the issue itself as it is now, comes second.
	public function with_issue_last( $p_event, $p_before, $p_issue ) {
		$this->keep( $p_event, is_object( $p_issue ) ? $p_issue->id : $p_issue, 0 );
	}

	public function with_note( $p_event, $p_issue_id, $p_note_id ) {
		$this->keep( $p_event, $p_issue_id, $p_note_id );
	}

	private function keep( $p_event, $p_issue_id, $p_note_id ) {
		# Only while a hook runs does MantisBT know whose settings these are.
		$this->url = plugin_config_get( 'url' );
		$this->secret = plugin_config_get( 'secret' );
		$this->timeout = plugin_config_get( 'timeout' );
		if( $this->url == '' ) {
			return;
		}
		if( count( $this->waiting ) == 0 ) {
			register_shutdown_function( array( $this, 'send' ) );
		}
		$this->waiting[] = array(
			'event' => $p_event,
			'issue_id' => (int)$p_issue_id,
			'note_id' => (int)$p_note_id,
			'user_id' => (int)auth_get_current_user_id(),
		);
	}

	public function send() {
		if( function_exists( 'fastcgi_finish_request' ) ) {
			fastcgi_finish_request();
		}
		foreach( $this->waiting as $t_body ) {
			$t_request = stream_context_create( array( 'http' => array(
				'method' => 'POST',
				'header' => "Content-Type: application/json\r\nX-Hub-Secret: " . $this->secret,
				'content' => json_encode( $t_body ),
				'timeout' => $this->timeout,
				'ignore_errors' => true,
				'follow_location' => 0,
			) ) );
			# What is lost is found by the hub's next look, so that a failure only ends the sending.
			if( @file_get_contents( $this->url, false, $t_request ) === false ) {
				error_log( 'TicketHub: no answer from ' . $this->url );
				break;
			}
		}
		$this->waiting = array();
	}
}
