using System.Diagnostics;

namespace Graphene.Hosting;

/// <summary>What one model tells meters and traces. When nobody listens, a run costs a few comparisons.</summary>
internal sealed class ModelTelemetry(GrapheneTelemetry telemetry, string model)
{
    private const string VersionTag = "graphene.model.version";
    private const string ErrorTag = "error.type";
    private readonly KeyValuePair<string, object?> _name = GrapheneTelemetry.ModelTag(model);
    private readonly string _runName = $"run {model}";
    private readonly string _loadName = $"load {model}";

    /// <summary>A run begins.</summary>
    public void BeginRun(ref RunRecord record, ModelVersion version)
    {
        record.Error = null;
        record.Started = telemetry.RunDuration.Enabled ? Stopwatch.GetTimestamp() : 0;
        record.Activity = telemetry.Source.HasListeners() ? Start(_runName, version) : null;
    }

    /// <summary>A run has ended.</summary>
    public void EndRun(ref RunRecord record)
    {
        if (record.Started != 0)
        {
            double seconds = Stopwatch.GetElapsedTime(record.Started).TotalSeconds;
            if (record.Error is null)
            {
                telemetry.RunDuration.Record(seconds, _name);
            }
            else
            {
                telemetry.RunDuration.Record(seconds, _name, new(ErrorTag, record.Error));
            }
        }
        telemetry.Runs.Add(1, _name);
        if (record.Error is not null)
        {
            telemetry.Failures.Add(1, _name, new(ErrorTag, record.Error));
        }
        if (record.Activity is { } activity)
        {
            record.Activity = null;
            Stop(activity, record.Error);
        }
    }

    /// <summary>A file is going to be loaded.</summary>
    public Activity? BeginLoad() => telemetry.Source.HasListeners() ? Start(_loadName, null) : null;

    /// <summary>A file was loaded or not.</summary>
    public void EndLoad(Activity? activity, ReloadOutcome outcome, ModelVersion? version, Exception? error)
    {
        string text = TextOf(outcome);
        var outcomeTag = new KeyValuePair<string, object?>("graphene.reload.outcome", text);
        telemetry.Reloads.Add(1, _name, outcomeTag);
        if (outcome == ReloadOutcome.Loaded && version is not null)
        {
            telemetry.LoadDuration.Record(version.LoadTime.TotalSeconds, _name);
        }
        if (activity is not null)
        {
            activity.SetTag(outcomeTag.Key, text);
            activity.SetTag(VersionTag, version?.ShortHash);
            Stop(activity, error is null ? null : ErrorName.Of(error));
        }
    }

    private static string TextOf(ReloadOutcome outcome) => outcome switch
    {
        ReloadOutcome.Loaded => "loaded",
        ReloadOutcome.Unchanged => "unchanged",
        _ => "failed",
    };

    private Activity? Start(string name, ModelVersion? version)
    {
        Activity? activity = telemetry.Source.StartActivity(name);
        if (activity is not null)
        {
            activity.SetTag(_name.Key, _name.Value);
            if (version is not null)
            {
                activity.SetTag(VersionTag, version.ShortHash);
            }
        }
        return activity;
    }

    private static void Stop(Activity activity, string? error)
    {
        if (error is not null)
        {
            activity.SetTag(ErrorTag, error);
            activity.SetStatus(ActivityStatusCode.Error);
        }
        activity.Dispose();
    }
}
