namespace Graphene.Hosting;

/// <summary>What a lease stands on: used by one lease after another, told apart by tickets.</summary>
/// <remarks>A ticket is odd while its lease lasts. So an old copy of a lease cannot end, or look into, somebody else's.</remarks>
internal sealed class LeaseSlot<TModel>(ModelHost<TModel> host)
    where TModel : class, IDisposable
{
    private long _ticket;
    private LoadedVersion<TModel>? _version;
    private RunRecord _record;

    /// <summary>Begins a lease of a version that is held for it already.</summary>
    public ModelLease<TModel> Begin(LoadedVersion<TModel> version)
    {
        _version = version;
        host.Telemetry.BeginRun(ref _record, version.Info);
        long ticket = _ticket + 1;
        Volatile.Write(ref _ticket, ticket);
        return new ModelLease<TModel>(this, ticket);
    }

    /// <summary>The version of a lease.</summary>
    public LoadedVersion<TModel> Version(long ticket)
    {
        LoadedVersion<TModel>? version = Volatile.Read(ref _version);
        ObjectDisposedException.ThrowIf(version is null || Volatile.Read(ref _ticket) != ticket, typeof(ModelLease<TModel>));
        return version;
    }

    /// <summary>Notes that the run of a lease failed.</summary>
    public void Fail(long ticket, Exception error)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _ticket) != ticket, typeof(ModelLease<TModel>));
        if (error is not OperationCanceledException)
        {
            _record.Error = ErrorName.Of(error);
        }
    }

    /// <summary>Ends a lease; nothing happens when it has ended.</summary>
    public void End(long ticket)
    {
        if (Interlocked.CompareExchange(ref _ticket, ticket + 1, ticket) != ticket)
        {
            return;
        }
        LoadedVersion<TModel> version = _version!;
        _version = null;
        host.Telemetry.EndRun(ref _record);
        host.Slots.Return(this);
        version.Release();
    }
}
