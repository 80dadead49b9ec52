using System.Text;
using Graphene.Runtime;
using Graphene.Train;

namespace Graphene.Samples.CharGpt;

/// <summary>Writes text, a character at a time; keys and values of what was written stay in the graph's variables.</summary>
/// <remarks>
/// When the context is full, its second half is read again from place 0 on, because a place's vector belongs to its number.
/// </remarks>
internal sealed class GptWriter
{
    private readonly GptSettings _settings;
    private readonly CharacterData _data;
    private readonly Tensor _character;
    private readonly Tensor _position;
    private readonly Tensor _probabilities;
    private readonly Operation _keep;

    public GptWriter(Graph graph, Gpt gpt, GptSettings settings, CharacterData data)
    {
        _settings = settings;
        _data = data;
        var context = new LayerContext(graph, training: false);
        using (graph.Scope("writer"))
        {
            _character = graph.Placeholder(DType.I32, [1, 1], "character");
            _position = graph.Placeholder(DType.I64, [], "position");
            _probabilities = gpt.Decode(context, _character, _position).Softmax();
            _keep = graph.Group([.. context.Updates]);
        }
    }

    /// <summary>Begins with the first character of all and goes on with what the model holds for likely.</summary>
    public string Write(Session session)
    {
        var random = new RandomNumbers(RandomNumbers.KeyOf(_settings.Seed, "writing"));
        var written = new List<int> { 0 };
        double[] next = Read(session, 0, 0);
        int position = 1;
        while (written.Count <= _settings.Generated)
        {
            written.Add(Drawn(next, random.NextUniform()));
            if (position == _settings.Context)
            {
                int[] kept = [.. written.TakeLast((_settings.Context / 2) + 1).SkipLast(1)];
                for (position = 0; position < kept.Length; position++)
                {
                    Read(session, kept[position], position);
                }
            }
            next = Read(session, written[^1], position++);
        }
        var text = new StringBuilder();
        written.Skip(1).ToList().ForEach(c => text.Append(_data.Characters[c]));
        return text.ToString();
    }

    /// <summary>The probabilities of each character after one at a place.</summary>
    internal double[] Read(Session session, int character, int position) => session.Run(
        [_probabilities], [(_character, (int[])[character]), (_position, (long)position)], [_keep])[0].ToDoubles();

    private static int Drawn(double[] probabilities, double uniform)
    {
        int last = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            uniform -= probabilities[i];
            last = probabilities[i] > 0 ? i : last;
            if (uniform < 0)
            {
                return i;
            }
        }
        return last; // the probabilities sum to a little less than 1
    }
}
