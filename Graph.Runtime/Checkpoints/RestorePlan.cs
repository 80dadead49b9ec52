using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>Compares what is to be restored with what is there, before anything is read.</summary>
internal sealed class RestorePlan(INamedTensors source, RestoreOptions options)
{
    private readonly ImmutableArray<RestoredTensor>.Builder _restored = ImmutableArray.CreateBuilder<RestoredTensor>();
    private readonly ImmutableArray<string>.Builder _missing = ImmutableArray.CreateBuilder<string>();
    private readonly ImmutableArray<MismatchedTensor>.Builder _mismatched = ImmutableArray.CreateBuilder<MismatchedTensor>();
    private readonly ImmutableArray<string>.Builder _leftOut = ImmutableArray.CreateBuilder<string>();
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    /// <summary>Looks for one thing.</summary>
    /// <param name="name">Its name here.</param>
    /// <param name="type">Its type; null when any will do.</param>
    public void Add(string name, TensorType? type)
    {
        string? wanted = options.NameInCheckpoint is { } rename ? rename(name) : name;
        if (wanted is null)
        {
            _leftOut.Add(name);
            return;
        }
        _asked.Add(wanted);
        TensorType? found = source.TypeOf(wanted);
        if (found is null)
        {
            _missing.Add(wanted == name ? name : $"{name} (as {wanted})");
        }
        else if (type is not null && !found.Equals(type))
        {
            _mismatched.Add(new MismatchedTensor(name, wanted, type, found));
        }
        else
        {
            _restored.Add(new RestoredTensor(name, wanted));
        }
    }

    /// <summary>The outcome.</summary>
    public RestoreReport Finish() => new(source.Name)
    {
        Restored = _restored.ToImmutable(),
        Missing = _missing.ToImmutable(),
        Mismatched = _mismatched.ToImmutable(),
        LeftOut = _leftOut.ToImmutable(),
        Unexpected = [.. source.Names.Where(n => !_asked.Contains(n)).Order(StringComparer.Ordinal)],
    };
}
