# The longest pause of the schedule, in minutes, on its zone's clock: `heartbeat_hours` has to be longer.
locals {
  minutes = { minute = 1, hour = 60, day = 24 * 60 }
  rate    = try(regex("^rate\\(([0-9]+) (minute|hour|day)", var.settings.schedule), null)
  cron    = try(split(" ", regex("^cron\\((.+)\\)$", var.settings.schedule)[0]), null)

  cron_fields = {
    minute  = { place = 0, first = 0, last = 59, size = 60 }
    hour    = { place = 1, first = 0, last = 23, size = 24 }
    day     = { place = 2, first = 1, last = 31, size = 31 }
    month   = { place = 3, first = 1, last = 12, size = 12 }
    weekday = { place = 4, first = 1, last = 7, size = 7 }
  }

  cron_names = merge([
    for names in ["JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", "SUN MON TUE WED THU FRI SAT"] :
    { for index, name in split(" ", names) : name => index + 1 }
  ]...)

  # What a field lists, each as first, last and step: `5`, `8-20`, `MON`, `*`, `0/15`. Nothing where it says more, such as `L`.
  cron_spans = {
    for name, field in local.cron_fields : name => try([
      for part in [
        for text in split(",", replace(local.cron[field.place], "/[*?]/", "${field.first}-${field.last}")) :
        regex("^(\\w+)(?:-(\\w+))?(?:/(\\d+))?$", replace(text, "/^(\\w+)[/]/", "$1-${field.last}/"))
      ] : [for text in [part[0], coalesce(part[1], part[0]), coalesce(part[2], "1")] : tonumber(lookup(local.cron_names, text, text))]
    ], [])
  }

  # The numbers that it means, in order. A span may go over the end: `FRI-MON`.
  cron_numbers = {
    for name, field in local.cron_fields : name => [
      for number in range(field.first, field.last + 1) : number
      if anytrue([
        for span in local.cron_spans[name] :
        (number - span[0] + field.size) % field.size <= (span[1] - span[0] + field.size) % field.size &&
        (number - span[0] + field.size) % field.size % span[2] == 0
      ])
    ]
  }

  cron_days  = local.cron_numbers.weekday
  cron_times = flatten([for hour in local.cron_numbers.hour : [for minute in local.cron_numbers.minute : 60 * hour + minute]])

  # Within a day, and from the last time of a day to the first of the next.
  cron_pauses = try(concat(
    [for index, time in local.cron_times : time - local.cron_times[index - 1] if index > 0],
    [
      for index, day in local.cron_days :
      (try(local.cron_days[index + 1], local.cron_days[0] + 7) - day) * local.minutes.day
      + local.cron_times[0] - local.cron_times[length(local.cron_times) - 1]
    ],
  ), [])

  # What leaves out days of the month, months or years pauses for longer than any heartbeat.
  leaves_out = anytrue([
    length(local.cron_numbers.day) < 31, length(local.cron_numbers.month) < 12, length(local.cron_days) == 0,
    try(local.cron[5], "") != "*",
  ])

  pause = local.rate != null ? local.rate[0] * local.minutes[local.rate[1]] : local.leaves_out ? null : try(max(local.cron_pauses...), null)
}
