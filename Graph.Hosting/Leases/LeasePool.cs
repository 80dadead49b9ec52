namespace Graphene.Hosting;

/// <summary>Keeps slots of leases that are over for those that come: taking and returning neither locks nor allocates.</summary>
/// <remarks>
/// A thread looks into a few places of its own, so threads seldom meet and nobody searches long; what is not found there is made,
/// and what finds no place is left to the garbage collector.
/// </remarks>
internal sealed class LeasePool<TModel>(ModelHost<TModel> host)
    where TModel : class, IDisposable
{
    private const int Places = 64;
    private const int PlacesOfThread = 8;
    private readonly LeaseSlot<TModel>?[] _places = new LeaseSlot<TModel>?[Places];

    /// <summary>A slot that no lease uses.</summary>
    public LeaseSlot<TModel> Take()
    {
        foreach (ref LeaseSlot<TModel>? place in PlacesOfThisThread())
        {
            if (Volatile.Read(ref place) is not null && Interlocked.Exchange(ref place, null) is { } slot)
            {
                return slot;
            }
        }
        return new LeaseSlot<TModel>(host);
    }

    /// <summary>Gives a slot back whose lease is over.</summary>
    public void Return(LeaseSlot<TModel> slot)
    {
        foreach (ref LeaseSlot<TModel>? place in PlacesOfThisThread())
        {
            if (Volatile.Read(ref place) is null && Interlocked.CompareExchange(ref place, slot, null) is null)
            {
                return;
            }
        }
    }

    private Span<LeaseSlot<TModel>?> PlacesOfThisThread()
    {
        int group = (int)((uint)Environment.CurrentManagedThreadId % (Places / PlacesOfThread));
        return _places.AsSpan(group * PlacesOfThread, PlacesOfThread);
    }
}
