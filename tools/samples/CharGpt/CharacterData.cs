namespace Graphene.Samples.CharGpt;

/// <summary>A text as numbers of its characters: nine tenths to train on, the rest to validate with.</summary>
public sealed class CharacterData
{
    private readonly int[] _train;
    private readonly int[] _validation;

    /// <summary>Numbers the characters of a text in their order.</summary>
    public CharacterData(string text)
    {
        Characters = string.Concat(text.Distinct().Order());
        Dictionary<char, int> numbers = Characters.Select((c, i) => (c, i)).ToDictionary(p => p.c, p => p.i);
        int[] all = [.. text.Select(c => numbers[c])];
        int split = (int)(all.Length * 0.9);
        _train = all[..split];
        _validation = all[split..];
    }

    /// <summary>All characters that occur.</summary>
    public string Characters { get; }

    /// <summary>Random pieces of the text, and the same moved by one: inputs and targets.</summary>
    public (int[] X, int[] Y) Batch(RandomNumbers random, bool validation, int batch, int context)
    {
        int[] text = validation ? _validation : _train;
        var x = new int[batch * context];
        var y = new int[batch * context];
        for (int i = 0; i < batch; i++)
        {
            int start = (int)(random.NextUniform() * (text.Length - context));
            text.AsSpan(start, context).CopyTo(x.AsSpan(i * context));
            text.AsSpan(start + 1, context).CopyTo(y.AsSpan(i * context));
        }
        return (x, y);
    }
}
