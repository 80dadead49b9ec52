namespace Graphene.Runtime;

/// <summary>The bindings that were used lately, by the extents of the inputs. Bounded; reading takes no lock.</summary>
internal sealed class BindingCache(int capacity)
{
    private readonly Lock _writing = new();
    private ShapeBinding[] _bindings = [];
    private int _nextVictim;

    /// <summary>Finds a binding; null when it is not there.</summary>
    public ShapeBinding? Find(ReadOnlySpan<long> extents)
    {
        foreach (ShapeBinding binding in Volatile.Read(ref _bindings))
        {
            if (extents.SequenceEqual(binding.InputExtents))
            {
                return binding;
            }
        }
        return null;
    }

    /// <summary>Adds a binding; the one added longest ago makes room when necessary.</summary>
    public void Add(ShapeBinding binding)
    {
        lock (_writing)
        {
            ShapeBinding[] bindings = _bindings;
            if (bindings.Length < capacity)
            {
                bindings = [.. bindings, binding];
            }
            else
            {
                bindings = [.. bindings];
                bindings[_nextVictim++ % capacity] = binding;
            }
            Volatile.Write(ref _bindings, bindings);
        }
    }
}
