namespace Graphene.Runtime;

/// <summary>The bindings that were used lately, by the extents of the inputs. Bounded; reading takes no lock.</summary>
internal sealed class BindingCache(int capacity)
{
#pragma warning disable IDE0330 // a lock of the newer kind reads its settings first, which a start would wait for
    private readonly object _writing = new();
#pragma warning restore IDE0330
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
                bindings = Copy(bindings, bindings.Length + 1);
                bindings[^1] = binding;
            }
            else
            {
                bindings = Copy(bindings, bindings.Length);
                bindings[_nextVictim++ % capacity] = binding;
            }
            Volatile.Write(ref _bindings, bindings);
        }
    }

    private static ShapeBinding[] Copy(ShapeBinding[] bindings, int length)
    {
        var copy = new ShapeBinding[length];
        Array.Copy(bindings, copy, bindings.Length);
        return copy;
    }
}
