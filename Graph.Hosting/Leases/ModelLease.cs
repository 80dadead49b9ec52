namespace Graphene.Hosting;

/// <summary>One version of a model, held by one request.</summary>
/// <remarks>
/// Dispose it once; copies are the same lease, and a second time does nothing. One thread at a time uses a lease, which may
/// cross <c>await</c>.
/// </remarks>
/// <typeparam name="TModel">The class of the model.</typeparam>
public readonly struct ModelLease<TModel> : IDisposable
    where TModel : class, IDisposable
{
    private readonly LeaseSlot<TModel>? _slot;
    private readonly long _ticket;

    internal ModelLease(LeaseSlot<TModel> slot, long ticket)
    {
        _slot = slot;
        _ticket = ticket;
    }

    /// <summary>The model. It belongs to the service: do not dispose it, nor keep it past the lease.</summary>
    /// <exception cref="ObjectDisposedException">The lease is over.</exception>
    public TModel Model => Slot.Version(_ticket).Model;

    /// <summary>Which version it is.</summary>
    /// <exception cref="ObjectDisposedException">The lease is over.</exception>
    public ModelVersion Version => Slot.Version(_ticket).Info;

    private LeaseSlot<TModel> Slot =>
        _slot ?? throw new InvalidOperationException("this lease came from nowhere: take one with Acquire");

    /// <summary>Says that the run failed, for metrics and traces.</summary>
    /// <param name="error">What happened. A cancelled run is no failure.</param>
    /// <exception cref="ObjectDisposedException">The lease is over.</exception>
    public void Fail(Exception error) => Slot.Fail(_ticket, error);

    /// <summary>Gives the version back.</summary>
    public void Dispose() => _slot?.End(_ticket);
}
