output "accounts" {
  description = "What was made for each of the vendor's accounts."
  value = {
    for name, account in module.account : name => {
      bucket              = account.bucket
      store               = account.store
      vendor_secret_arn   = account.vendor_secret_arn
      hmac_key_secret_arn = account.hmac_key_secret_arn
      sync_function       = account.sync_function
      worker_function     = account.worker_function
      state_machine_arn   = account.state_machine_arn
      dead_letters_url    = account.dead_letters_url
      schedule            = account.schedule
      database            = account.database
      workgroup           = account.workgroup
      analysts_policy_arn = account.analysts_policy_arn
      dashboard           = account.dashboard
      environment         = account.environment
    }
  }
}
